"""Options that are fixed when the pipeline is compiled: images, sizes, placement of steps that train."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from components.image import PLACEHOLDER

PHOTOS_MOUNT = "/photos"


class CompileOptions(BaseModel):
    """Compile-time options; none has an effect on the local runner.

    Attributes:
        image: Image of every step; each commit has its own tag.
        parts: Pods that scan the photos side by side, each its part of the bytes; 1: the preprocess step does
            it all. The dataset is the same.
        workers: Pods that search for better settings side by side before the training; 0: no search.
        accelerators: GPUs of each step that trains; 0 for none.
        accelerator_type: Kubernetes resource name of the GPU.
        node_selector: Labels that the node of a step that trains must have.
        tolerations: Taint keys (effect NoSchedule) that a step that trains tolerates.
        shared_memory: Size of such a step's memory-backed /dev/shm, for loader processes.
        retries: Whether failed steps are retried; not on a laptop, where the same command resumes.
        secret: Secret with credentials of stores (keys: ``CREDENTIALS``); may be absent.
        config_map: ConfigMap with addresses of stores (keys: ``CONFIGURATION``); may be absent.
        photos_volume: PersistentVolumeClaim mounted at ``/photos`` in steps that read photos; empty: none.
        image_pull_policy: Kubernetes' values; empty for its default.
        run_as_user: User id of every step; None leaves it to the image and the installation.
        run_as_group: Group id, used if ``run_as_user`` is set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = PLACEHOLDER
    parts: int = Field(1, ge=1, le=1000)
    workers: int = Field(0, ge=0, le=100)
    accelerators: int = Field(0, ge=0)
    accelerator_type: str = "nvidia.com/gpu"
    node_selector: dict[str, str] = {}
    tolerations: tuple[str, ...] = ()
    shared_memory: str = "2Gi"
    retries: bool = True
    secret: str = "phytoflow-s3"
    config_map: str = "phytoflow"
    photos_volume: str = ""
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    run_as_user: int | None = Field(None, ge=1)
    run_as_group: int | None = Field(None, ge=1)


class Size(BaseModel):
    """Resources of one step: requests that a small node can meet, limits that a large node allows.

    Attributes:
        cpu: CPU limit, Kubernetes notation.
        memory: Memory limit, Kubernetes notation.
        cpu_request: CPU the node must have free.
        memory_request: Memory the node must have free.
        retries: How often a failed pod is retried.
        seconds: Time limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: str = "1"
    memory: str = "2G"
    cpu_request: str = "250m"
    memory_request: str = "512M"
    retries: int = 0
    seconds: int = 600


_HOUR = 3600  # seconds
_TRAINING = Size(cpu="8", memory="24G", cpu_request="1", memory_request="4G", retries=3, seconds=24 * _HOUR)
SIZES: dict[str, Size] = {
    "configure": Size(),
    "configure-search": Size(),
    "preprocess": Size(
        cpu="4", memory="8G", cpu_request="1", memory_request="2G", retries=1, seconds=4 * _HOUR
    ),
    "scan": Size(cpu="4", memory="4G", cpu_request="1", memory_request="1G", retries=2, seconds=4 * _HOUR),
    "merge": Size(cpu="4", memory="8G", cpu_request="1", memory_request="2G", retries=1, seconds=4 * _HOUR),
    "open-search": Size(memory="4G", retries=2),
    "work-on-search": _TRAINING,
    "conclude-search": _TRAINING,
    "train": _TRAINING,
    "export": Size(cpu="2", memory="8G", cpu_request="1", memory_request="2G", retries=1, seconds=_HOUR),
    "evaluate": Size(
        cpu="4", memory="8G", cpu_request="1", memory_request="2G", retries=1, seconds=2 * _HOUR
    ),
    "gate": Size(cpu="2", memory="4G", memory_request="1G", seconds=_HOUR),
    "register": Size(retries=2),
    "publish": Size(memory="4G", seconds=1800),
    "refuse": Size(),
    "finish": Size(retries=2),
}
