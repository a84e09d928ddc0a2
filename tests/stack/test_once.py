"""One service for the length of a block."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from phytoflow.errors import ServingError
from phytoflow.stack.layout import Layout
from phytoflow.stack.once import running
from phytoflow.stack.service import Service


def service(folder: Path, script: str, seconds: float = 20) -> Service:
    up = folder / "up"
    return Service("example", ("sh", "-c", script), up.exists, {"UP": str(up)}, start_seconds=seconds)


def test_it_runs_within_the_block_and_is_ended_after_it(tmp_path: Path) -> None:
    script = 'trap "rm $UP; exit 0" TERM; touch $UP; while :; do sleep 0.05; done'
    with running(service(tmp_path, script), Layout(tmp_path)):
        assert (tmp_path / "up").exists()
    assert not (tmp_path / "up").exists()


def test_one_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    with (
        pytest.raises(ServingError) as failed,
        running(service(tmp_path, "echo wrong port; exit 3"), Layout(tmp_path)),
    ):
        raise AssertionError("the block must not run")
    assert str(tmp_path / "logs" / "example.log") in failed.value.remedy
    assert (tmp_path / "logs" / "example.log").read_text() == "wrong port\n"


def test_one_that_does_not_become_healthy_is_ended(tmp_path: Path) -> None:
    script = "echo $$ > $UP.pid; exec sleep 60"
    with pytest.raises(ServingError), running(service(tmp_path, script, 0.5), Layout(tmp_path)):
        raise AssertionError("the block must not run")
    pid = (tmp_path / "up.pid").read_text().strip()
    assert subprocess.run(["kill", "-0", pid], capture_output=True, check=False).returncode
