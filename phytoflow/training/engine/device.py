"""Selection of the training device and its arithmetic."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import torch

from phytoflow.errors import ConfigError
from phytoflow.system.cpu import cpu_count
from phytoflow.system.malloc import tune_malloc_for_training
from phytoflow.training.settings import TrainingSettings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Device:
    """A device and the arithmetic used on it.

    Attributes:
        kind: ``cpu`` or ``cuda``.
        dtype: What autocast computes in; float32 means no autocast.
        text: A description, e.g. ``CPU, 2 threads, float32``.
    """

    kind: str
    dtype: torch.dtype
    text: str

    @property
    def precision(self) -> Any:
        """Lightning's name of the arithmetic."""
        names = {torch.bfloat16: "bf16-mixed", torch.float16: "16-mixed", torch.float32: "32-true"}
        return names[self.dtype]

    def autocast(self) -> torch.autocast:
        """The context for forward passes."""
        return torch.autocast(self.kind, self.dtype, enabled=self.dtype != torch.float32)


def find_device(settings: TrainingSettings, processes: int = 1) -> Device:
    """Selects device and precision, and sets torch's threads and malloc for them.

    Args:
        settings: Device and precision that are asked for.
        processes: Number of processes that train together, for the description.

    Raises:
        ConfigError: The settings ask for a GPU and there is none.
    """
    threads = min(cpu_count(), torch.get_num_threads())  # torch's own count respects OMP_NUM_THREADS
    torch.set_num_threads(threads)
    check_device(settings)
    gpu = torch.cuda.is_available()
    kind = "cuda" if gpu and settings.device != "cpu" else "cpu"
    if kind == "cpu":
        tune_malloc_for_training()
    dtype = _dtype(settings.precision, kind)
    if dtype == torch.float16 and settings.sharding == "fsdp":
        raise ConfigError(
            "training.sharding=fsdp does not train in fp16", remedy="set training.precision=bf16 or float32"
        )
    place = torch.cuda.get_device_name() if kind == "cuda" else f"CPU, {threads} threads"
    number = f"{processes} processes, each " if processes > 1 else ""
    device = Device(kind, dtype, f"{number}{place}, {str(dtype).removeprefix('torch.')}")
    _LOG.info("training on %s%s", device.text, "" if gpu else " (no GPU found)")
    return device


def check_device(settings: TrainingSettings) -> None:
    """Refuses what this machine cannot train with.

    Raises:
        ConfigError: The settings ask for a GPU and there is none, or for more than there are.
    """
    gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not gpu:
        raise ConfigError(
            "training.device is cuda, but torch finds no GPU",
            remedy="set training.device=auto, or check the driver with nvidia-smi",
        )
    if gpu and settings.devices > torch.cuda.device_count() and settings.device != "cpu":
        raise ConfigError(
            f"training.devices={settings.devices}, and this machine has {torch.cuda.device_count()} GPUs",
            remedy="ask for one process a GPU, or set training.device=cpu",
        )
    _dtype(settings.precision, "cuda" if gpu and settings.device != "cpu" else "cpu")


def _dtype(precision: str, kind: str) -> torch.dtype:
    """The arithmetic of a ``training.precision``.

    On CPUs ``auto`` means float32: some are many times slower in bf16, and no model here needs it.
    """
    if precision == "auto":
        if kind == "cpu":
            return torch.float32
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if precision == "fp16" and kind == "cpu":
        raise ConfigError("training.precision=fp16 needs a GPU", remedy="use auto, float32 or bf16")
    return {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[precision]
