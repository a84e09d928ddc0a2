"""The image of every step: a placeholder that compiling replaces."""

# "python" in the name tells kfp's local runner that these steps are Python programs.
PLACEHOLDER = "phytoflow-pipeline-python:unset"
