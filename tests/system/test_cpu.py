"""The container's quota decides, wherever it is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phytoflow.system.cpu import cpu_count, has_bf16

AFFINITY = len(os.sched_getaffinity(0))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "cgroup", tmp_path / "self"


def test_without_cgroups_the_affinity_counts(places: tuple[Path, Path]) -> None:
    assert cpu_count(*places) == AFFINITY


@pytest.mark.parametrize(
    ("line", "expected"), [("50000 100000", 1), ("100000 100000", 1), ("max 100000", AFFINITY)]
)
def test_v2_quota_at_the_root(places: tuple[Path, Path], line: str, expected: int) -> None:
    cgroup, membership = places
    _write(membership, "0::/\n")
    _write(cgroup / "cpu.max", line)
    assert cpu_count(cgroup, membership) == expected


def test_v2_quota_of_a_parent_holds(places: tuple[Path, Path]) -> None:
    cgroup, membership = places
    _write(membership, "0::/pod/container\n")
    _write(cgroup / "pod" / "cpu.max", "100000 100000")
    _write(cgroup / "pod" / "container" / "cpu.max", "max 100000")
    assert cpu_count(cgroup, membership) == 1


def test_v1_quota(places: tuple[Path, Path]) -> None:
    cgroup, membership = places
    _write(membership, "4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n")
    _write(cgroup / "cpu" / "cpu.cfs_quota_us", "100000")
    _write(cgroup / "cpu" / "cpu.cfs_period_us", "100000")
    assert cpu_count(cgroup, membership) == 1


def test_v1_without_a_limit(places: tuple[Path, Path]) -> None:
    cgroup, membership = places
    _write(membership, "4:cpu,cpuacct:/\n")
    _write(cgroup / "cpu" / "cpu.cfs_quota_us", "-1")
    _write(cgroup / "cpu" / "cpu.cfs_period_us", "100000")
    assert cpu_count(cgroup, membership) == AFFINITY


def test_damaged_files_are_no_limit(places: tuple[Path, Path]) -> None:
    cgroup, membership = places
    _write(membership, "0::/../../escape\n")
    _write(cgroup / "cpu.max", "garbage 0")
    assert cpu_count(cgroup, membership) == AFFINITY


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fpu avx2 avx512_bf16", True), ("fpu amx_bf16", True), ("fpu avx2 avx512f", False), ("", False)],
)
def test_bf16_is_told_by_the_flags(tmp_path: Path, flags: str, expected: bool) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nmodel name\t: avx512_bf16 in name\nflags\t\t: {flags}\n")
    assert has_bf16(info) is expected
    assert not has_bf16(tmp_path / "absent")
