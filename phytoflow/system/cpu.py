"""How many CPUs this process really has: the container's quota and affinity, not the machine's count."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")
_SELF = Path("/proc/self/cgroup")
_INFO = Path("/proc/cpuinfo")
_BF16 = {"avx512_bf16", "amx_bf16"}


def cpu_count(cgroup: Path = _CGROUP, membership: Path = _SELF) -> int:
    """CPUs this process may keep busy, at least one.

    The smaller of the affinity mask and the cgroup quota (v1 and v2, here or at any parent), rounded up:
    with half a CPU of quota there is still one thread to run.

    Args:
        cgroup: Where the cgroup file system is mounted.
        membership: The process's ``/proc/PID/cgroup``.
    """
    quotas = [*_quotas_v2(cgroup, membership), *_quotas_v1(cgroup, membership)]
    return max(1, min([len(os.sched_getaffinity(0)), *(math.ceil(quota) for quota in quotas)]))


def has_bf16(info: Path = _INFO) -> bool:
    """Whether the CPU multiplies bf16 itself; where it does not, bf16 is 6 to 16 times slower than float32.

    Args:
        info: Linux's description of the CPUs.
    """
    flags = (line.partition(":")[2].split() for line in _read(info).splitlines() if line.startswith("flags"))
    return bool(_BF16 & set(next(flags, [])))


def _quotas_v2(cgroup: Path, membership: Path) -> list[float]:
    found = []
    for folder in _folders(cgroup, _group(membership, "")):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            found.append(int(quota) / int(period))
    return found


def _quotas_v1(cgroup: Path, membership: Path) -> list[float]:
    found = []
    for folder in _folders(cgroup / "cpu", _group(membership, "cpu")):
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):  # "-1" means no limit
            found.append(int(quota) / int(period))
    return found


def _group(membership: Path, controller: str) -> str:
    """Path of this process's group in a hierarchy; v2's has an empty list of controllers."""
    for line in _read(membership).splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") if controller else not controllers:
            return path.strip("/")
    return ""


def _folders(root: Path, group: str) -> list[Path]:
    """The group's folder and its parents: a limit anywhere above holds here too.

    In a container the path may name a folder of the host that is not mounted; the root then is our group.
    """
    parts = [part for part in group.split("/") if part and part != ".."]
    return [root.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
