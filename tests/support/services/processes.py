"""What becomes of processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def processes_naming(place: Path) -> list[int]:
    """Living processes whose command line names a place, other than this one's own."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            named = folder.name.isdigit() and os.fsencode(place) in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if named and int(folder.name) != os.getpid() and runs(int(folder.name)):
            found.append(int(folder.name))
    return found


def group_members(group: int) -> list[int]:
    """Living processes of a process group."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return [pid for pid in pids if runs(pid) and _group(pid) == group]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for a condition; fails if it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds:g} s: {what}"
        time.sleep(0.02)
