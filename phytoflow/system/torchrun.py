"""The variables by which torchrun tells a process that it is one of several; nothing here needs torch."""

from __future__ import annotations

import os


def started_by_torchrun() -> bool:
    """Whether this process is one of several that torchrun started."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def process_rank() -> int:
    """Number of this process among torchrun's; 0 without torchrun."""
    return int(os.environ["RANK"]) if started_by_torchrun() else 0
