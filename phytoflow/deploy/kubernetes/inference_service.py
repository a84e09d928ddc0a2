"""The InferenceService that is wanted: settings and a bundle in, plain JSON out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from phytoflow.deploy.kubernetes import autoscaling as scaling
from phytoflow.deploy.kubernetes.api import Object
from phytoflow.deploy.settings import DeploySettings

PART_OF = {"app.kubernetes.io/part-of": "phytoflow", "app.kubernetes.io/managed-by": "phytoflow"}
REVISION = "phytoflow/revision"
BUNDLE_VERSION = "phytoflow/bundle-version"
CANDIDATE_OF = "phytoflow/candidate-of"
MODEL_FORMAT = "phytoflow"
_GRACE_SECONDS = 45  # longer than the predictor's own grace and the runtime's preStop pause together


@dataclass(frozen=True)
class Release:
    """What is to be served.

    Attributes:
        uri: Of the bundle.
        version: Of the bundle.
        facts: Further annotations, e.g. run, data hash, metrics.
    """

    uri: str
    version: str
    facts: dict[str, str] = field(default_factory=dict)


def inference_service(name: str, namespace: str, release: Release, settings: DeploySettings) -> Object:
    """The desired InferenceService; the annotation ``REVISION`` changes when anything else of it does."""
    scale = scaling.of(name, namespace, settings)
    annotations = {f"phytoflow/{key}": value for key, value in release.facts.items() if value}
    annotations |= {BUNDLE_VERSION: release.version, "serving.kserve.io/deploymentMode": "RawDeployment"}
    body: Object = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": PART_OF | {"app.kubernetes.io/name": name},
            "annotations": annotations | scale.annotations,
        },
        "spec": {"predictor": _predictor(release, settings) | scale.predictor},
    }
    return with_revision(body)


def candidate_of(body: Object, *, accelerated: bool) -> Object:
    """The same as ``NAME-candidate``: one replica, no autoscaling.

    Args:
        body: From ``inference_service``.
        accelerated: False leaves out the GPU, where none is free beside those in use.
    """
    copy: Object = json.loads(json.dumps(body))
    metadata, predictor = copy["metadata"], copy["spec"]["predictor"]
    name = metadata["name"]
    metadata["name"] = candidate_name(name)
    metadata["labels"] |= {"app.kubernetes.io/name": metadata["name"], CANDIDATE_OF: name}
    metadata["annotations"] |= {scaling.CLASS: "none"}
    for key in ("autoScaling", "scaleMetric", "scaleTarget"):
        predictor.pop(key, None)
    predictor |= {"minReplicas": 1, "maxReplicas": 1}
    if not accelerated:
        _without_accelerator(predictor)
    return with_revision(copy)


def candidate_name(name: str) -> str:
    """Name of the InferenceService on which a version is tried."""
    return f"{name}-candidate"


def revision_of(body: Object | None) -> str:
    """The revision annotated on an object; empty if there is none."""
    return str(((body or {}).get("metadata", {}).get("annotations") or {}).get(REVISION, ""))


def accelerators_of(body: Object) -> dict[str, Any]:
    """What GPUs a replica asks for, and of which nodes: nothing but that can take the place of it."""
    predictor = body["spec"]["predictor"]
    extended = {k: v for k, v in predictor["model"]["resources"]["limits"].items() if "/" in k}
    return {"limits": extended, "selector": predictor.get("nodeSelector", {})} if extended else {}


def with_revision(body: Object) -> Object:
    """Annotates a hash of everything else."""
    body["metadata"]["annotations"].pop(REVISION, None)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:10]
    body["metadata"]["annotations"][REVISION] = digest
    return body


def _predictor(release: Release, settings: DeploySettings) -> dict[str, Any]:
    model: dict[str, Any] = {
        "modelFormat": {"name": MODEL_FORMAT},
        "runtime": settings.runtime,
        "protocolVersion": "v2",
        "storageUri": release.uri,
        "resources": _resources(settings),
    }
    if settings.image:
        model["image"] = settings.image
    if settings.extra_args:
        model["args"] = list(settings.extra_args)
    predictor: dict[str, Any] = {
        "model": model,
        "serviceAccountName": settings.service_account,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        # for the storage initializer, whose securityContext KServe does not take from the runtime
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "deploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": _rolling(settings)},
    }
    if settings.node_selector:
        predictor["nodeSelector"] = dict(settings.node_selector)
    if settings.tolerations:
        predictor["tolerations"] = [
            {"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in settings.tolerations
        ]
    if settings.priority_class:
        predictor["priorityClassName"] = settings.priority_class
    return predictor


def _resources(settings: DeploySettings) -> dict[str, dict[str, str]]:
    gpus = {settings.accelerator_type: str(settings.accelerators)} if settings.accelerators else {}
    return {
        "requests": {"cpu": settings.cpu_request, "memory": settings.memory_request} | gpus,
        "limits": {"cpu": settings.cpu, "memory": settings.memory} | gpus,
    }


def _rolling(settings: DeploySettings) -> dict[str, int]:
    """New pods before old ones go; but where no GPU is spare, an old pod must go for a new one to start."""
    if settings.accelerators and not settings.surge_accelerator:
        return {"maxSurge": 0, "maxUnavailable": 1}
    return {"maxSurge": 1, "maxUnavailable": 0}


def _without_accelerator(predictor: dict[str, Any]) -> None:
    for amounts in predictor["model"]["resources"].values():
        for key in [key for key in amounts if "/" in key]:
            del amounts[key]
    predictor.pop("nodeSelector", None)
    predictor.pop("tolerations", None)
