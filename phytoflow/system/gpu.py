"""Whether there is a GPU, found out without importing torch."""

from __future__ import annotations

import os
from pathlib import Path

_DEVICES = Path("/dev")
_HIDDEN = ("", "-1")  # values of CUDA_VISIBLE_DEVICES that hide every GPU


def has_gpu(devices: Path = _DEVICES) -> bool:
    """Tells whether this process may use an NVIDIA GPU: a device file is there and CUDA may see it.

    Args:
        devices: Folder of device files; a container has those of the GPUs that were assigned to it.
    """
    if os.environ.get("CUDA_VISIBLE_DEVICES") in _HIDDEN:
        return False
    return any(path.name.removeprefix("nvidia").isdigit() for path in devices.glob("nvidia*"))
