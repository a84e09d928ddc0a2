"""The largest memory of this process, which can be set back between two measurements."""

from __future__ import annotations

import re
from pathlib import Path

_RESET_PEAK = "5"  # of /proc/PID/clear_refs: the peak becomes what is resident now


def peak_bytes() -> int:
    """Peak resident memory since the start of the process or the last ``reset_peak``."""
    status = Path("/proc/self/status").read_text()
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) * 1024


def reset_peak() -> None:
    """Sets the peak back to what is resident now."""
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
