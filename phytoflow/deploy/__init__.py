"""Publishing a bundle: as a process on this machine (``local``) or an InferenceService (``kubernetes``)."""
