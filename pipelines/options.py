"""What is settled when the pipeline is compiled: images, sizes and where the training step may run."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from components.image import PLACEHOLDER


class CompileOptions(BaseModel):
    """Compile-time settings; none has an effect on the local runner.

    Attributes:
        image: Image of every step, with a tag a commit.
        accelerators: GPUs of the training step; 0 for none.
        accelerator_type: Kubernetes resource name of the GPU.
        node_selector: Labels the training step's node must have.
        tolerations: Taint keys (effect NoSchedule) the training step tolerates.
        shared_memory: Size of the training step's memory-backed /dev/shm, for loader processes.
        retries: Try failed steps again; off on a laptop, where the same command does so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str = PLACEHOLDER
    accelerators: int = Field(0, ge=0)
    accelerator_type: str = "nvidia.com/gpu"
    node_selector: dict[str, str] = {}
    tolerations: tuple[str, ...] = ()
    shared_memory: str = "2Gi"
    retries: bool = True


class Size(BaseModel):
    """What one step may take.

    Attributes:
        cpu: CPU limit, Kubernetes notation.
        memory: Memory limit, Kubernetes notation.
        retries: How often a failed pod is tried again.
        seconds: Time limit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu: str = "1"
    memory: str = "2G"
    retries: int = 0
    seconds: int = 600


SIZES: dict[str, Size] = {
    "configure": Size(),
    "preprocess": Size(cpu="4", memory="8G", retries=1, seconds=4 * 3600),
    "train": Size(cpu="8", memory="24G", retries=3, seconds=24 * 3600),
    "export": Size(cpu="2", memory="8G", retries=1, seconds=1800),
    "evaluate": Size(cpu="4", memory="8G", retries=1, seconds=2 * 3600),
    "gate": Size(cpu="2", memory="4G", seconds=3600),
    "register": Size(retries=2),
    "publish": Size(memory="4G", seconds=1800),
    "refuse": Size(),
}
