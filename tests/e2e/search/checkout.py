"""Pods that run this checkout, mounted from the node's disk: the cluster's node must be this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
IMAGE = os.environ.get("PHYTOFLOW_TEST_IMAGE", "localhost/phytoflow/predictor:test")  # of the same Debian


def mount_checkout(pod: dict[str, Any]) -> None:
    """Changes a pod's only container so that it runs this checkout with this Python, as root."""
    (container,) = pod["containers"]
    container["securityContext"] = {"runAsUser": 0}
    container |= {"imagePullPolicy": "Never", "workingDir": "/tmp"}  # not where the image's own code is
    variables = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    container.setdefault("env", []).extend({"name": key, "value": value} for key, value in variables.items())
    for path in sorted({str(ROOT), sys.prefix, sys.base_prefix}):
        mount_folder(pod, path)


def mount_folder(pod: dict[str, Any], path: str) -> None:
    """Mounts a folder of the node at the same path, read-only."""
    volumes = pod.setdefault("volumes", [])
    name = f"node-{len(volumes)}"
    volumes.append({"name": name, "hostPath": {"path": path}})
    (container,) = pod["containers"]
    mounts = container.setdefault("volumeMounts", [])
    mounts.append({"name": name, "mountPath": path, "readOnly": True})
