"""Whole runs killed with SIGKILL in each step: the same command ends at the same figures."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.synthetic.dataset import make_synthetic_dataset

pytestmark = pytest.mark.timeout(1200)
SETTINGS = [
    "training.cached_views=2",
    "training.finetune_epochs=2",
    "training.min_finetune_steps=6",
    "gate.min_accuracy=0.2",
    "gate.min_macro_f1=0.2",
]
SETTINGS += ["gate.max_latency_ms=500", "evaluation.bootstrap_samples=200"]
FIGURES = ("accuracy", "macro_f1", "ece", "confusion_matrix", "photos")


def _command(photos: Path, output: Path) -> list[str]:
    options = [word for setting in SETTINGS for word in ("--set", setting)]
    return [
        sys.executable,
        "-m",
        "phytoflow.cli",
        "run",
        "--data",
        str(photos),
        "--output",
        str(output),
        *options,
    ]


def _finish(photos: Path, output: Path) -> dict[str, object]:
    done = subprocess.run(_command(photos, output), capture_output=True, text=True, check=False)
    subprocess.run([sys.executable, "-m", "phytoflow.cli", "stop", "--output", str(output)], check=True)
    assert done.returncode == 0, done.stdout + done.stderr
    metrics = json.loads((output / "metrics.json").read_text())
    return {name: metrics[name] for name in FIGURES}


def _kill_when(said: str, photos: Path, output: Path, delay: float) -> None:
    """Starts a run and kills its whole process group ``delay`` seconds after the log says something."""
    run = subprocess.Popen(
        _command(photos, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    log, deadline = output / "run.log", time.monotonic() + 300
    while not (log.exists() and re.search(said, log.read_text(errors="replace"))):
        assert run.poll() is None, f"the run ended before it said {said!r}"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(delay)
    assert run.poll() is None, "the run ended before it was killed"
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    make_synthetic_dataset(folder, photos_per_class=12, seed=5)
    return folder


@pytest.fixture(scope="module")
def undisturbed(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return _finish(photos, tmp_path_factory.mktemp("whole") / "out")


@pytest.mark.parametrize(
    ("step", "said", "delay"),
    [
        ("preprocess", r"Executing task .*preprocess", 2.5),
        ("features", r"Executing task .*train", 7.0),
        ("epochs", r"\[train\].*epoch 1", 0.2),
        ("export", r"Executing task .*export", 5.0),
        ("publish", r"Executing task .*publish", 3.0),
    ],
)
def test_a_killed_run_resumes_to_the_same_figures(
    step: str, said: str, delay: float, photos: Path, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    _kill_when(said, photos, output, delay)
    _nothing_half_written_looks_whole(output)
    resumed = _finish(photos, output)
    assert resumed["confusion_matrix"] == undisturbed["confusion_matrix"], step
    for name in ("accuracy", "macro_f1", "ece"):
        assert resumed[name] == pytest.approx(undisturbed[name], abs=1e-3), (step, name)


def _nothing_half_written_looks_whole(output: Path) -> None:
    for facts in output.rglob("dataset.json"):
        if ".partial-" not in str(facts):
            assert sum(
                1
                for split in ("train", "validation", "test")
                for _ in Dataset.open(facts.parent).photos(split)
            )
    for manifest in output.rglob("bundle.json"):
        if ".partial-" not in str(manifest):
            Bundle.load(manifest.parent)
