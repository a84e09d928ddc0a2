"""Whether this process is a step of a pipeline on a cluster."""

from __future__ import annotations

import os


def kfp_pod() -> str:
    """Name of the pod of Kubeflow Pipelines that this process runs in; empty elsewhere."""
    return os.environ.get("KFP_POD_NAME", "")
