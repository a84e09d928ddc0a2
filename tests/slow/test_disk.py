"""A run whose disk is full, read-only or taken says so with exit code 5; freed, the same command resumes.

``PHYTOFLOW_TEST_ROUNDS=10`` fills the disk ten times in each step of ten runs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from tests.support.disks import fill, make_read_only, small_disk
from tests.support.services.processes import wait_until

pytestmark = pytest.mark.timeout(1800)
ROUNDS = int(os.environ.get("PHYTOFLOW_TEST_ROUNDS", "1"))
STEPS = ("preprocess", "train", "export", "evaluate", "gate", "register", "publish")
MEGABYTES = 600
SETTINGS = [
    "preset=fast",
    "evaluation.bootstrap_samples=200",
    "gate.min_accuracy=0.1",
    "gate.min_macro_f1=0.1",
    "gate.max_latency_ms=1000",
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    make_synthetic_dataset(folder, photos_per_class=12, seed=5)
    return folder


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", MEGABYTES) as folder:
        yield folder


def start(photos: Path, output: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "phytoflow.cli", "run", "--data", str(photos), "--output", str(output)]
    command += [word for setting in SETTINGS for word in ("--set", setting)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | environment,
    )


def finish(run: subprocess.Popen[str], output: Path) -> str:
    """Waits for a run that succeeds, and ends its predictor; returns what it printed."""
    text, _ = run.communicate()
    subprocess.run([sys.executable, "-m", "phytoflow.cli", "stop", "--output", str(output)], check=True)
    assert run.returncode == 0, text
    return text


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_disk_that_is_full_in_each_step_is_named_and_once_freed_the_run_goes_on(
    turn: int, photos: Path, disk: Path
) -> None:
    for step in STEPS:
        _fail_on_a_full_disk(step, photos, disk)
    finish(start(photos, disk / "out"), disk / "out")
    assert json.loads((disk / "out" / "metrics.json").read_text())["photos"] > 0


def _fail_on_a_full_disk(step: str, photos: Path, disk: Path) -> None:
    """Starts or resumes the run, and fills its disk when the step begins."""
    output, log = disk / "out", disk / "out" / "run.log"
    seen = log.stat().st_size if log.exists() else 0
    begins = re.compile(f"Executing task .*{step}")
    run = start(photos, output)

    def has_begun() -> bool:
        assert run.poll() is None, f"it ended before {step}: {run.communicate()[0]}"
        return log.exists() and begins.search(log.read_bytes()[seen:].decode()) is not None

    wait_until(has_begun, 600, f"{step} does not begin")
    filler = fill(disk)
    text, _ = run.communicate()
    filler.unlink()
    assert run.returncode == 5, f"{step}: {text}"
    error = text[text.index("Error: ") :]
    assert str(disk) in error and re.search(r"no space left|disk is full", error, re.IGNORECASE), error
    assert "free some" in error
    assert not (output / "predictor.json").exists() and "Traceback" not in error


def test_a_disk_that_turns_read_only_is_named(photos: Path, disk: Path) -> None:
    (disk / "out").mkdir()
    make_read_only(disk)
    run = start(photos, disk / "out")
    text, _ = run.communicate()
    assert run.returncode == 5 and f"cannot write {disk / 'out'}" in text and "--output" in text


def test_a_home_that_cannot_be_written_is_no_obstacle(photos: Path, tmp_path: Path) -> None:
    nowhere = {"HOME": "/proc/nowhere", "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": "", "MPLCONFIGDIR": ""}
    run = start(photos, tmp_path / "out", **nowhere)
    text = finish(run, tmp_path / "out")
    assert "8/8 publish: done" in text
