"""A run that is killed in one long step after another ends at the figures of a run left in peace.

Four rounds send each of four signals in each step; ``PHYTOFLOW_TEST_ROUNDS=10`` makes ten rounds.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from tests.support.services.processes import processes_naming, wait_until

pytestmark = pytest.mark.timeout(2400)
ROUNDS = int(os.environ.get("PHYTOFLOW_TEST_ROUNDS", "4"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
SETTINGS = [
    "training.cached_views=2",
    "training.finetune_epochs=2",
    "training.min_finetune_steps=6",
    "gate.min_accuracy=0.2",
    "gate.min_macro_f1=0.2",
    "gate.max_latency_ms=500",
    "evaluation.bootstrap_samples=200",
]
FIGURES = ("accuracy", "macro_f1", "ece", "confusion_matrix", "photos")
MOMENTS = {
    "preprocess": r"\[preprocess\] \d+ of \d+ files are used",
    "features": r"\[train\] weights imagenet",
    "epochs": r"\[train\] .*epoch 1\b",
    "export": r"\[export\] torchscript",
    "evaluate": r"\[evaluate\] runtime",
    "publish": "predictor.json.starting",
}
"""What the log says when a run is killed, or the file that is there; the steps come in this order."""


class Run:
    """One ``phytoflow run`` of the same photos into the same folder."""

    def __init__(self, photos: Path, output: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "phytoflow.cli",
            "run",
            "--data",
            str(photos),
            "--output",
            str(output),
        ]
        command += [word for setting in SETTINGS for word in ("--set", setting)]
        self._log = output / "run.log"
        self._seen = self._log.stat().st_size if self._log.exists() else 0
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def log(self) -> str:
        """What this run logged, without those before it."""
        return self._log.read_bytes()[self._seen :].decode(errors="replace") if self._log.exists() else ""

    def kill_at(self, moment: str, number: signal.Signals) -> str:
        """Sends a signal to the run, and to nothing else, when its log says something; returns its output."""

        def said() -> bool:
            assert self.process.poll() is None, f"it ended before {moment!r}: {self.process.communicate()[0]}"
            return re.search(moment, self.log) is not None or (self._log.parent / moment).exists()

        wait_until(said, 600, f"no {moment!r}")
        self.process.send_signal(number)
        output, _ = self.process.communicate(timeout=60)
        return output


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "photos"
    make_synthetic_dataset(folder, photos_per_class=12, seed=5)
    return folder


@pytest.fixture(scope="module")
def undisturbed(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return finish(photos, tmp_path_factory.mktemp("whole") / "out")


def finish(photos: Path, output: Path) -> dict[str, object]:
    """Lets a run come to its end; returns its figures."""
    run = Run(photos, output)
    text, _ = run.process.communicate()
    subprocess.run([sys.executable, "-m", "phytoflow.cli", "stop", "--output", str(output)], check=True)
    assert run.process.returncode == 0, text
    assert not (output / "checkpoints").exists(), "the model is in the cache, its checkpoints are not needed"
    metrics = json.loads((output / "metrics.json").read_text())
    return {name: metrics[name] for name in FIGURES}


@pytest.mark.parametrize("turn", range(ROUNDS))
def test_a_run_killed_in_every_long_step_ends_at_the_same_figures(
    turn: int, photos: Path, undisturbed: dict[str, object], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    for place, (step, moment) in enumerate(MOMENTS.items()):
        number = SIGNALS[(turn + place) % len(SIGNALS)]
        run = Run(photos, output)
        text = run.kill_at(moment, number)
        if number == signal.SIGKILL:
            assert run.process.returncode == -signal.SIGKILL
        else:
            assert run.process.returncode == 128 + number, text
            assert "the same command resumes" in text
        wait_until(
            lambda: not processes_naming(output), 30, f"killed in {step}, something of the run lives on"
        )
        _nothing_half_written_looks_whole(output)
        if step == "export":  # the run after the one that was killed between epochs
            assert re.search(r"resuming after epoch [1-9]", run.log), "an epoch was lost"
    resumed = finish(photos, output)
    assert resumed["confusion_matrix"] == undisturbed["confusion_matrix"]
    for name in ("accuracy", "macro_f1", "ece"):
        assert resumed[name] == pytest.approx(undisturbed[name], abs=1e-3), name


def _nothing_half_written_looks_whole(output: Path) -> None:
    for facts in output.rglob("dataset.json"):
        if ".partial-" not in str(facts):
            splits = ("train", "validation", "test")
            assert sum(1 for split in splits for _ in Dataset.open(facts.parent).photos(split))
    for manifest in output.rglob("bundle.json"):
        if ".partial-" not in str(manifest):
            Bundle.load(manifest.parent)
