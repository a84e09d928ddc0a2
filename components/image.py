"""The image every step runs in: a placeholder, replaced when the pipeline is compiled."""

# "python" in the name tells kfp's local runner that these steps are Python programs.
PLACEHOLDER = "phytoflow-pipeline-python:unset"
