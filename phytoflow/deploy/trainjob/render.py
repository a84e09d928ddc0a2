"""The TrainJob as JSON: a pure function of settings and run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from phytoflow.deploy.kubernetes.api import Object
from phytoflow.deploy.trainjob.environment import CONFIGURATION, CREDENTIALS
from phytoflow.deploy.trainjob.settings import TrainJobSettings

API_VERSION = "trainer.kubeflow.org/v1alpha1"
CONTAINER = "node"
"""Name of the job and of its container in the TrainingRuntime."""
RUN_LABEL = "phytoflow.io/run"
_QUEUE_LABEL = "kueue.x-k8s.io/queue-name"
_MANAGER = "phytoflow.io/train-step"
_ATTEMPT = "metadata.labels['jobset.sigs.k8s.io/restart-attempt']"


@dataclass(frozen=True)
class Work:
    """What a TrainJob is to do.

    Attributes:
        name: Name of the TrainJob: the same for the same run and training.
        run: Id of the pipeline's run, for the label; may be empty.
        nodes: Number of pods.
        devices: Training processes in each.
        arguments: Arguments of the Python interpreter for one process.
        image: Image of the pods.
        owner: Owner reference: when that object is deleted, so is the TrainJob; None: nobody owns it.
    """

    name: str
    run: str
    nodes: int
    devices: int
    arguments: tuple[str, ...]
    image: str
    owner: Object | None = None


def render(work: Work, namespace: str, settings: TrainJobSettings) -> Object:
    """Renders the TrainJob.

    torchrun is the same command everywhere: Trainer tells it the number of nodes and processes and the
    address of the first pod by variables.

    Args:
        work: What is to be done.
        namespace: Namespace of the TrainJob.
        settings: Resources and placement.
    """
    labels = {
        "app.kubernetes.io/part-of": "phytoflow",
        "app.kubernetes.io/component": "train",
        **({RUN_LABEL: work.run} if work.run else {}),
        **({_QUEUE_LABEL: settings.queue} if settings.queue else {}),
    }
    metadata: Object = {"name": work.name, "namespace": namespace, "labels": labels}
    if work.owner:
        metadata["ownerReferences"] = [work.owner]
    return {
        "apiVersion": API_VERSION,
        "kind": "TrainJob",
        "metadata": metadata,
        "spec": {
            "runtimeRef": {
                "apiGroup": API_VERSION.partition("/")[0],
                "kind": "TrainingRuntime",
                "name": settings.runtime,
            },
            "trainer": _trainer(work, settings),
            "runtimePatches": [
                {"manager": _MANAGER, "trainingRuntimeSpec": _runtime_patch(settings, labels)}
            ],
        },
    }


def _trainer(work: Work, settings: TrainJobSettings) -> Object:
    return {
        "image": work.image,
        "command": ["python", "-m", "torch.distributed.run"],
        "args": list(work.arguments),
        "numNodes": work.nodes,
        "numProcPerNode": work.devices,
        "resourcesPerNode": _resources(work, settings),
        "env": _environment(settings),
    }


def _resources(work: Work, settings: TrainJobSettings) -> Object:
    gpus = {settings.accelerator_type: str(work.devices)} if settings.accelerator_type else {}
    return {
        "requests": {"cpu": settings.cpu_request, "memory": settings.memory_request, **gpus},
        "limits": {"cpu": settings.cpu, "memory": settings.memory, **gpus},
    }


def _environment(settings: TrainJobSettings) -> list[Object]:
    """Addresses and keys of stores as in the steps, and the number of the attempt for the log."""
    variables: list[Object] = [
        {"name": "PHYTOFLOW_ATTEMPT", "valueFrom": {"fieldRef": {"fieldPath": _ATTEMPT}}},
        {"name": "PYTHONUNBUFFERED", "value": "1"},
    ]
    sources = (
        (settings.secret, "secretKeyRef", CREDENTIALS),
        (settings.config_map, "configMapKeyRef", CONFIGURATION),
    )
    for source, kind, keys in sources:
        for key in keys if source else ():
            variables.append(
                {"name": key, "valueFrom": {kind: {"name": source, "key": key, "optional": True}}}
            )
    return variables


def _runtime_patch(settings: TrainJobSettings, labels: dict[str, str]) -> Object:
    """Placement and /dev/shm of the pods; the rest of them is in the TrainingRuntime."""
    pod: dict[str, Any] = {
        "volumes": [{"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": settings.shared_memory}}],
        "containers": [{"name": CONTAINER, "volumeMounts": [{"name": "shm", "mountPath": "/dev/shm"}]}],
    }
    if settings.node_selector:
        pod["nodeSelector"] = settings.node_selector
    if settings.tolerations:
        pod["tolerations"] = [
            {"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in settings.tolerations
        ]
    template = {"metadata": {"labels": labels}, "spec": pod}
    job = {"name": CONTAINER, "template": {"spec": {"template": template}}}
    return {"template": {"spec": {"replicatedJobs": [job]}}}
