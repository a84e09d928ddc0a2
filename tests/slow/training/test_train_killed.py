"""Training ended by a signal: the same call goes on, loses an epoch at most and ends with the same model.

``PHYTOFLOW_KILL_REPEATS`` repeats every case so many times.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from tests.support.small_training import small_dataset

ROOT = Path(__file__).resolve().parents[3]
REPEATS = int(os.environ.get("PHYTOFLOW_KILL_REPEATS", "1"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
SETTINGS = {"cached_views": 3, "finetune_epochs": 4, "min_finetune_steps": 8, "folds": 2, "device": "cpu"}
CALL = """
import json, os, sys
from pathlib import Path
from phytoflow.data.shards.dataset import Dataset
from phytoflow.training.engine.lightning_module import FinetuneModule
from phytoflow.training.features import view_writer
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train
from tests.support.small_training import MODEL, Notes

dataset, folder, settings, number, fit, epoch = sys.argv[1:]
folder = Path(folder)
view_writer._SECONDS_BETWEEN_SAVES = 0.0  # the photos are few: each batch stands for ten seconds of work
begin = FinetuneModule.on_train_epoch_start

def log_epoch(self):
    (folder / "trained.log").open("a").write("epoch\\n")
    begin(self)

FinetuneModule.on_train_epoch_start = log_epoch

class Killer(Notes):
    def log_metrics(self, metrics, *, step=0):
        if step == int(epoch) and any(name.startswith(fit) for name in metrics):
            os.kill(os.getpid(), int(number))

arguments = TrainingSettings(**json.loads(settings)), 0, folder / "model", str(folder / "checkpoints")
train(Dataset.open(dataset), MODEL, *arguments, Killer())
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    small_dataset(folder)
    return folder / "dataset"


def start(
    dataset: Path, folder: Path, settings: dict[str, object], number: int = 0, fit: str = "-", epoch: int = -1
) -> subprocess.Popen[bytes]:
    """Starts a training; it sends itself the signal once the metrics of an epoch of a fit are recorded."""
    folder.mkdir(exist_ok=True)
    words = [str(dataset), str(folder), json.dumps(SETTINGS | settings), str(number), fit, str(epoch)]
    return subprocess.Popen([sys.executable, "-c", CALL, *words], cwd=ROOT, stderr=subprocess.DEVNULL)


def trained_epochs(folder: Path) -> int:
    log = folder / "trained.log"
    return log.read_text().count("epoch") if log.exists() else 0


def assert_same_result(one: Path, other: Path) -> None:
    kept = ("stage_chosen", "alpha", "candidates", "temperature", "l2_penalty", "validation", "fingerprint")
    summaries, weights = [], []
    for folder in (one, other):
        summary = json.loads((folder / "model" / "model.json").read_text())["summary"]
        summaries.append({name: summary[name] for name in kept})
        weights.append(safetensors.torch.load_file(folder / "model" / "model.safetensors"))
    assert summaries[0] == summaries[1]
    assert all(np.allclose(weights[0][name], weights[1][name], atol=1e-6) for name in weights[0])


Whole = Callable[[dict[str, object]], Path]


@pytest.fixture(scope="module")
def whole(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Gives the folder of an undisturbed training with these settings."""
    folders: dict[str, Path] = {}

    def run(settings: dict[str, object]) -> Path:
        key = json.dumps(settings)
        if key not in folders:
            folders[key] = tmp_path_factory.mktemp("whole")
            assert start(dataset, folders[key], settings).wait(280) == 0
        return folders[key]

    return run


def exit_codes(number: int) -> set[int]:
    """How a process may end that this signal ends; never with 0."""
    return {-number, 128 + number}


@pytest.mark.parametrize("attempt", range(REPEATS))
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    ("settings", "fit", "epoch"),
    [({}, "fold 2 of 2", 2), ({"cross_validate_below": 0}, "final fit", 3)],
    ids=["in a fold", "in the final fit"],
)
def test_in_an_epoch(
    dataset: Path,
    whole: Whole,
    tmp_path: Path,
    settings: dict[str, object],
    fit: str,
    epoch: int,
    number: int,
    attempt: int,
) -> None:
    undisturbed = whole(settings)
    assert start(dataset, tmp_path, settings, number, fit, epoch).wait(280) in exit_codes(number)
    assert not (tmp_path / "model").exists()
    assert start(dataset, tmp_path, settings).wait(280) == 0
    assert_same_result(undisturbed, tmp_path)
    assert trained_epochs(tmp_path) <= trained_epochs(undisturbed) + 1


@pytest.mark.parametrize("attempt", range(REPEATS))
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_while_features_are_extracted(
    dataset: Path, whole: Whole, tmp_path: Path, number: int, attempt: int
) -> None:
    settings: dict[str, object] = {"finetune_blocks": 0}
    undisturbed = whole(settings)
    run = start(dataset, tmp_path, settings)
    view = "checkpoints/*/scratch/features/.train-light-1.unfinished/rows"
    while not list(tmp_path.glob(view)):
        assert run.poll() is None
        time.sleep(0.002)
    run.send_signal(number)
    assert run.wait(60) in exit_codes(number)
    (features,) = tmp_path.glob("checkpoints/*/scratch/features")
    assert (features / "train-none-0").is_dir() and not (features / "train-light-2").exists()
    assert start(dataset, tmp_path, settings).wait(280) == 0
    assert_same_result(undisturbed, tmp_path)


def test_after_the_model_is_written(dataset: Path, whole: Whole, tmp_path: Path) -> None:
    """Killed between the end of the training and the pipeline's cache: nothing is trained again."""
    undisturbed = whole({})
    assert start(dataset, tmp_path, {}, signal.SIGKILL, "chosen", 0).wait(280) == -signal.SIGKILL
    epochs = trained_epochs(tmp_path)
    (tmp_path / "model").rename(tmp_path / "lost")  # a pipeline gives its next attempt another folder
    assert start(dataset, tmp_path, {}).wait(280) == 0
    assert trained_epochs(tmp_path) == epochs == trained_epochs(undisturbed)
    assert_same_result(undisturbed, tmp_path)
