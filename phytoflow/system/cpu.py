"""How many CPUs this process may use: the container's quota and affinity, not the machine's count."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
_INFO = Path("/proc/cpuinfo")
_BF16 = {"avx512_bf16", "amx_bf16"}  # the kernel's names of the instructions that multiply bf16


def cpu_count(cgroup: Path | None = None, membership: Path | None = None) -> int:
    """Counts the CPUs that this process may keep busy.

    It is the smaller of the affinity mask and of the cgroup quotas (v1 and v2, of the process's own group
    and of every parent). A quota is rounded up: half a CPU still runs one thread.

    Args:
        cgroup: Mount point of the cgroup file system; default ``CGROUP``.
        membership: The process's ``/proc/PID/cgroup``; default ``MEMBERSHIP``.

    Returns:
        The number of CPUs, at least 1.
    """
    cgroup, membership = cgroup or CGROUP, membership or MEMBERSHIP
    quotas = [*_read_quotas_v2(cgroup, membership), *_read_quotas_v1(cgroup, membership)]
    return max(1, min([len(os.sched_getaffinity(0)), *(math.ceil(quota) for quota in quotas)]))


def has_bf16(info: Path = _INFO) -> bool:
    """Tells whether the CPU has bf16 instructions; without them bf16 is 6 to 16 times slower than float32.

    Args:
        info: Linux's description of the CPUs.
    """
    flags = (line.partition(":")[2].split() for line in _read(info).splitlines() if line.startswith("flags"))
    return bool(_BF16 & set(next(flags, [])))


def _read_quotas_v2(cgroup: Path, membership: Path) -> list[float]:
    lines = (_read(folder / "cpu.max") for folder in _folders(cgroup, _group(membership, "")))
    return _parse_quotas(line.partition(" ")[::2] for line in lines)


def _read_quotas_v1(cgroup: Path, membership: Path) -> list[float]:
    folders = _folders(cgroup / "cpu", _group(membership, "cpu"))
    return _parse_quotas(
        (_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")) for folder in folders
    )


def _parse_quotas(pairs: Iterable[tuple[str, str]]) -> list[float]:
    """CPUs of each pair of quota and period; "max" (v2) and "-1" (v1) mean that there is no limit."""
    return [
        int(quota) / int(period)
        for quota, period in pairs
        if quota.isdigit() and period.isdigit() and int(period)
    ]


def _group(membership: Path, controller: str) -> str:
    """Path of this process's group in a hierarchy; the v2 hierarchy has an empty list of controllers."""
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
