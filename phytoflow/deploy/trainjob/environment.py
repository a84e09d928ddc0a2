"""Names of the environment variables with addresses and keys of stores, in steps and in TrainJobs."""

from __future__ import annotations

CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL_S3",
    "AWS_SECRET_ACCESS_KEY",
    "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD",
)
"""Keys of the Secret."""
STUDY_STORAGE = "PHYTOFLOW_STUDY_STORAGE"
"""Another key of the Secret, for the steps of a search only: address of its study's database."""
CONFIGURATION = ("AWS_ENDPOINT_URL", "AWS_REGION", "GS_ENDPOINT_URL", "MLFLOW_TRACKING_URI")
"""Keys of the ConfigMap."""
