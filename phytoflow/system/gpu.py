"""Whether there is a GPU, told without loading torch."""

from __future__ import annotations

import os
from pathlib import Path

_DEVICES = Path("/dev")
_HIDDEN = ("", "-1")


def has_gpu(devices: Path = _DEVICES) -> bool:
    """Whether this process may use an NVIDIA GPU: the driver's device file is here, and not hidden from CUDA.

    Args:
        devices: Where device files are; a container has those of the GPUs it was given.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES") in _HIDDEN:
        return False
    return any(path.name.removeprefix("nvidia").isdigit() for path in devices.glob("nvidia*"))
