"""Publishing to a cluster: the InferenceService, its rollout and what went wrong with it."""
