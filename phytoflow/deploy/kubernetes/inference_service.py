"""Builds the InferenceService for a bundle: settings in, plain JSON out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from phytoflow.deploy.kubernetes.api import Object
from phytoflow.deploy.kubernetes.autoscaling import AUTOSCALER_CLASS, scaling_for
from phytoflow.deploy.settings import DeploySettings

PART_OF = {"app.kubernetes.io/part-of": "phytoflow", "app.kubernetes.io/managed-by": "phytoflow"}
REVISION = "phytoflow/revision"
BUNDLE_VERSION = "phytoflow/bundle-version"
CANDIDATE_OF = "phytoflow/candidate-of"
CANDIDATE_SUFFIX = "-candidate"
MODEL_FORMAT = "phytoflow"
# Longer than the ServingRuntime's preStop pause (6 s) and the predictor's own grace period (25 s) together.
_GRACE_SECONDS = 45
_HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True)
class Release:
    """A bundle to be served.

    Attributes:
        uri: Location of the bundle in an object store.
        version: Bundle version.
        facts: Further annotations, for instance run, data hash and metrics. Empty values are left out.
    """

    uri: str
    version: str
    facts: dict[str, str] = field(default_factory=dict)


def inference_service(name: str, namespace: str, release: Release, settings: DeploySettings) -> Object:
    """Builds the desired InferenceService. Annotation ``REVISION`` is a hash of everything else in it."""
    scale = scaling_for(name, namespace, settings)
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
        "spec": {"predictor": _predictor(name, release, settings) | scale.predictor},
    }
    return annotate_revision(body)


def candidate_of(body: Object, *, accelerated: bool) -> Object:
    """Builds the candidate of an InferenceService: ``NAME-candidate``, one replica, no autoscaling.

    Args:
        body: From ``inference_service``.
        accelerated: False leaves out the GPU, for clusters without a free one.
    """
    copy: Object = json.loads(json.dumps(body))
    metadata, predictor = copy["metadata"], copy["spec"]["predictor"]
    name = metadata["name"]
    metadata["name"] = candidate_name(name)
    metadata["labels"] |= {"app.kubernetes.io/name": metadata["name"], CANDIDATE_OF: name}
    metadata["annotations"] |= {AUTOSCALER_CLASS: "none"}
    for key in ("autoScaling", "scaleMetric", "scaleTarget", "topologySpreadConstraints"):
        predictor.pop(key, None)
    predictor |= {"minReplicas": 1, "maxReplicas": 1}
    if not accelerated:
        _remove_accelerator(predictor)
    return annotate_revision(copy)


def candidate_name(name: str) -> str:
    """Returns the name of the InferenceService on which a new version is tried."""
    return f"{name}{CANDIDATE_SUFFIX}"


def revision_of(body: Object | None) -> str:
    """Returns the revision annotated on an object. Empty if there is none."""
    return str(((body or {}).get("metadata", {}).get("annotations") or {}).get(REVISION, ""))


def accelerators_of(body: Object) -> dict[str, Any]:
    """Returns a replica's extended resources and node selector. Empty if it needs no accelerator."""
    predictor = body["spec"]["predictor"]
    extended = {k: v for k, v in predictor["model"]["resources"]["limits"].items() if "/" in k}
    return {"limits": extended, "selector": predictor.get("nodeSelector", {})} if extended else {}


def annotate_revision(body: Object) -> Object:
    """Annotates an object with a hash of everything else in it and returns it."""
    body["metadata"]["annotations"].pop(REVISION, None)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:10]
    body["metadata"]["annotations"][REVISION] = digest
    return body


def _predictor(name: str, release: Release, settings: DeploySettings) -> dict[str, Any]:
    predictor: dict[str, Any] = {
        "model": _model(release, settings),
        "serviceAccountName": settings.service_account,
        "terminationGracePeriodSeconds": _GRACE_SECONDS,
        # For the storage initializer, which does not take its securityContext from the ServingRuntime.
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "deploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": _rolling_update(settings)},
        "topologySpreadConstraints": [_spread_over_nodes(name)],
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


def _model(release: Release, settings: DeploySettings) -> dict[str, Any]:
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
    return model


def _resources(settings: DeploySettings) -> dict[str, dict[str, str]]:
    gpus = {settings.accelerator_type: str(settings.accelerators)} if settings.accelerators else {}
    return {
        "requests": {"cpu": settings.cpu_request, "memory": settings.memory_request} | gpus,
        "limits": {"cpu": settings.cpu, "memory": settings.memory} | gpus,
    }


def _rolling_update(settings: DeploySettings) -> dict[str, int]:
    """New pods start before old ones stop, unless a new pod needs the GPU of an old one."""
    if settings.accelerators and not settings.surge_accelerator:
        return {"maxSurge": 0, "maxUnavailable": 1}
    return {"maxSurge": 1, "maxUnavailable": 0}


def _spread_over_nodes(name: str) -> dict[str, Any]:
    """Replicas go to different nodes if there are enough, so that one lost node does not take them all."""
    labels = {"serving.kserve.io/inferenceservice": name}
    return {
        "maxSkew": 1,
        "topologyKey": _HOSTNAME,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels},
    }


def _remove_accelerator(predictor: dict[str, Any]) -> None:
    for amounts in predictor["model"]["resources"].values():
        for key in [key for key in amounts if "/" in key]:
            del amounts[key]
    predictor.pop("nodeSelector", None)
    predictor.pop("tolerations", None)
