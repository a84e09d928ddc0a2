"""The report, the model card and the other artifacts for people."""
