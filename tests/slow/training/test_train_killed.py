"""Training killed with SIGKILL: the same call goes on and ends with the same model."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch

from tests.support.small_training import small_dataset

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = {
    "cached_views": 3,
    "finetune_epochs": 4,
    "min_finetune_steps": 8,
    "folds": 2,
    "device": "cpu",
    "min_improvement_se": 0.0,
}
CALL = """
import json, os, signal, sys
from pathlib import Path
from phytoflow.training.settings import TrainingSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.training.train import train
from tests.support.small_training import MODEL, Notes

dataset, folder, settings, fit, epoch = sys.argv[1:]
folder, settings, epoch = Path(folder), json.loads(settings), int(epoch)

class Killer(Notes):
    def log_metrics(self, metrics, *, step=0):
        Path(folder, "epochs.log").open("a").write(f"{sorted(metrics)[0].split('/')[0]} {step}\\n")
        if step == epoch and any(name.startswith(fit) for name in metrics):
            os.kill(os.getpid(), signal.SIGKILL)

data = Dataset.open(dataset)
train(data, MODEL, TrainingSettings(**settings), 0, folder / "model", str(folder / "checkpoints"), Killer())
"""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    small_dataset(folder)
    return folder / "dataset"


def start(
    dataset: Path, folder: Path, settings: dict[str, object], fit: str = "-", epoch: int = -1
) -> subprocess.Popen[bytes]:
    folder.mkdir(exist_ok=True)
    words = [str(dataset), str(folder), json.dumps(SETTINGS | settings), fit, str(epoch)]
    return subprocess.Popen([sys.executable, "-c", CALL, *words], cwd=ROOT, stderr=subprocess.DEVNULL)


def result(folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    facts = json.loads((folder / "model" / "model.json").read_text())["facts"]
    kept = ("stage_chosen", "share", "evidence", "temperature", "strength", "validation", "fingerprint")
    return {name: facts[name] for name in kept}, safetensors.torch.load_file(
        folder / "model" / "model.safetensors"
    )


def same(one: Path, other: Path) -> None:
    (facts, weights), (other_facts, other_weights) = result(one), result(other)
    assert facts == other_facts
    assert all(np.allclose(weights[name], other_weights[name], atol=1e-6) for name in weights)


@pytest.mark.parametrize(
    ("settings", "fit", "epoch"),
    [({}, "fold 2", 2), ({"cross_validate_below": 0}, "final", 3)],
    ids=["in a fold", "in the last fit"],
)
def test_killed_in_an_epoch(
    dataset: Path, tmp_path: Path, settings: dict[str, object], fit: str, epoch: int
) -> None:
    assert start(dataset, tmp_path / "whole", settings).wait(240) == 0
    assert start(dataset, tmp_path / "killed", settings, fit, epoch).wait(240) == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model").exists()
    assert start(dataset, tmp_path / "killed", settings).wait(240) == 0
    same(tmp_path / "whole", tmp_path / "killed")
    epochs = (tmp_path / "killed" / "epochs.log").read_text().splitlines()
    assert epochs.count(f"{fit} 1") == 1 and epochs.count(f"{fit} {epoch}") == 2


def test_killed_while_features_are_computed(dataset: Path, tmp_path: Path) -> None:
    settings = {"finetune_blocks": 0}
    assert start(dataset, tmp_path / "whole", settings).wait(240) == 0
    run = start(dataset, tmp_path / "killed", settings)
    while not list((tmp_path / "killed").glob("checkpoints/*/scratch/features/.train-light-1.partial-*")):
        assert run.poll() is None
        time.sleep(0.005)
    run.kill()
    run.wait()
    (features,) = (tmp_path / "killed").glob("checkpoints/*/scratch/features")
    assert (features / "train-none-0").is_dir() and not (features / "train-light-1").exists()
    assert start(dataset, tmp_path / "killed", settings).wait(240) == 0
    same(tmp_path / "whole", tmp_path / "killed")
