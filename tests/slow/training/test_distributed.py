"""`phytoflow train` with several processes: the model of one process, also after kills and under torchrun."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file
from torch.testing import assert_close

from phytoflow.models.checkpoint import read_summary
from tests.support.services.processes import processes_naming
from tests.support.small_training import write_photos

SETTINGS = {
    "model.image_size": 64,
    "data.near_duplicate_max_distance": 0,
    "training.cached_views": 2,
    "training.finetune_epochs": 4,
    "training.min_finetune_steps": 4,
    "training.cross_validate_below": 0,
    "training.device": "cpu",
}
KILLS = 5
SECONDS = 600


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "photos"
    write_photos(folder, 30)
    return folder


def options(photos: Path, output: Path, **changes: Any) -> list[str]:
    chosen = SETTINGS | {f"training.{name}": value for name, value in changes.items()}
    assignments = [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]
    return ["-m", "phytoflow.cli", "train", "--data", str(photos), "--output", str(output), *assignments]


def train(photos: Path, output: Path, launcher: tuple[str, ...] = (), **changes: Any) -> None:
    command = [sys.executable, *launcher, *options(photos, output, **changes)]
    subprocess.run(command, check=True, timeout=SECONDS, capture_output=True)


@pytest.fixture(scope="module")
def alone(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of a training by one process."""
    output = tmp_path_factory.mktemp("alone")
    train(photos, output)
    return output


def assert_same_model(output: Path, expected: Path) -> None:
    weights, others = (load_file(folder / "model" / "model.safetensors") for folder in (output, expected))
    for name, value in others.items():  # relative to the largest weight of the layer
        assert_close(weights[name], value, rtol=0, atol=1e-4 * max(float(value.abs().max()), 1e-6))
    figures = [read_summary(folder / "model")["validation"] for folder in (output, expected)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-4)


@pytest.mark.parametrize("processes", [2, 4])
def test_several_processes_give_the_model_of_one(
    photos: Path, alone: Path, tmp_path: Path, processes: int
) -> None:
    train(photos, tmp_path, devices=processes)
    assert_same_model(tmp_path, alone)


def test_sharded_processes_give_the_model_of_one(photos: Path, alone: Path, tmp_path: Path) -> None:
    train(photos, tmp_path, devices=2, sharding="fsdp")
    assert_same_model(tmp_path, alone)


def test_the_same_command_joins_the_processes_that_torchrun_started(
    photos: Path, alone: Path, tmp_path: Path
) -> None:
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    train(photos, tmp_path, launcher, devices=2)
    assert_same_model(tmp_path, alone)


def test_a_process_is_killed_five_times_and_nothing_changes(
    photos: Path, alone: Path, tmp_path: Path
) -> None:
    chance, killed = random.Random(7), 0
    run = subprocess.Popen([sys.executable, *options(photos, tmp_path, devices=2)])
    while run.poll() is None:
        # The launcher's command line does not name the module, the processes' do.
        pids = [pid for pid in processes_naming(tmp_path) if b"train_process" in _command_line(pid)]
        if killed < KILLS and len(pids) == 2:
            time.sleep(chance.uniform(2, 12))
            pid = chance.choice(pids)
            if b"train_process" in _command_line(pid):
                os.kill(pid, signal.SIGKILL)
                killed += 1
                time.sleep(2)
        time.sleep(0.1)
    assert run.returncode == 0 and killed
    assert_same_model(tmp_path, alone)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""
