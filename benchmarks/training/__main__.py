"""`python -m benchmarks.training [FOLDER]`: time to a test macro-F1, against end-to-end fine-tuning.

Both sides are the project's own `train`, on the same splits, backbone, pretrained weights, augmentation and
device. End-to-end fine-tuning is given the schedule that suits it: it is run anew with 1, 2, 4, ... epochs,
each with its whole cosine, and only the shortest run that reaches the quality counts. Means over several
seeds, each with a split of its own: a single run reaches a quality by luck.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated

import torch
import typer
from sklearn.metrics import f1_score

from benchmarks.null_tracker import Silent
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.splits import SPLITS
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.models.checkpoint import load_trained
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train

SAMPLE_PHOTOS = 200
"""Of each class, where no photos are given: enough to be held out, as most sets are."""


@dataclass(frozen=True)
class Measured:
    """One training: its name, seconds on the clock, seconds of processor, test macro-F1."""

    name: str
    seconds: float
    cpu_seconds: float
    macro_f1: float

    def __str__(self) -> str:
        times = f"{self.seconds:8.1f} s {self.cpu_seconds:8.1f} CPU s"
        return f"{self.name:24s} {times}   macro-F1 {self.macro_f1:.4f}"


def measure(name: str, dataset: Dataset, settings: TrainingSettings, seed: int, folder: Path) -> Measured:
    """Trains once and judges on the test photos, as they would be served."""
    start, cpu = time.perf_counter(), time.process_time()
    train(dataset, ModelSettings(), settings, seed, folder / name, str(folder / "checkpoints"), Silent())
    taken, cpu = time.perf_counter() - start, time.process_time() - cpu
    trained, photos = load_trained(folder / name), list(dataset.photos("test"))
    with torch.inference_mode():
        tensors = (torch.from_numpy(trained.preprocessing(photo.content))[None] for photo in photos)
        answers = [int(trained.model(tensor).argmax()) for tensor in tensors]
    truth = [dataset.classes.index(photo.label) for photo in photos]
    return Measured(name, taken, cpu, float(f1_score(truth, answers, average="macro")))


def measure_seeds(name: str, datasets: Sequence[Dataset], settings: TrainingSettings, work: Path) -> Measured:
    """Trains once on each dataset, seeds 0, 1, ...; prints each, and gives their means."""
    runs = []
    for seed, dataset in enumerate(datasets):
        runs.append(measure(name, dataset, settings, seed, work / str(seed)))
        print(f"seed {seed}  {runs[-1]}", flush=True)
    means = (
        mean(values) for values in zip(*((r.seconds, r.cpu_seconds, r.macro_f1) for r in runs), strict=True)
    )
    return Measured(name, *means)


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Class folders of photos; none: the sample set.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits and draws behind each mean.")] = 3,
    first_epochs: Annotated[int, typer.Option(min=1, help="Shortest end-to-end run.")] = 1,
    most_epochs: Annotated[int, typer.Option(help="Longest end-to-end run.")] = 16,
    tolerance: Annotated[
        float, typer.Option(help="End to end may be this much worse and still count.")
    ] = 0.001,
) -> None:
    """Prints both sides' time to the same quality, and the ratio."""
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        photos = folder or make_synthetic_dataset(work / "sample", SAMPLE_PHOTOS)
        datasets = [_dataset(photos, seed, work / f"dataset-{seed}") for seed in range(seeds)]
        print(", ".join(f"{datasets[0].count(split)} {split} photos" for split in SPLITS))
        ours = measure_seeds("two stages", datasets, TrainingSettings(), work)
        print(f"mean    {ours}", flush=True)
        goal = ours.macro_f1 - tolerance
        print(_verdict(ours, _end_to_end(goal, datasets, work, first_epochs, most_epochs), goal))


def _dataset(photos: Path, seed: int, folder: Path) -> Dataset:
    prepare(str(photos), DataSettings(), preprocessing_for(ModelSettings()), seed, folder)
    return Dataset.open(folder)


def _end_to_end(goal: float, datasets: Sequence[Dataset], work: Path, epochs: int, most: int) -> Measured:
    while True:
        settings = TrainingSettings(end_to_end=True, end_to_end_epochs=epochs, patience=most + 1)
        run = measure_seeds(f"end to end, {epochs} epochs", datasets, settings, work)
        print(f"mean    {run}", flush=True)
        if run.macro_f1 >= goal or epochs * 2 > most:
            return run
        epochs *= 2


def _verdict(ours: Measured, theirs: Measured, goal: float) -> str:
    ratio, cpu = theirs.seconds / ours.seconds, theirs.cpu_seconds / ours.cpu_seconds
    sign = "" if theirs.macro_f1 >= goal else "more than "
    return f"two stages reach it {sign}{ratio:.1f} times sooner ({cpu:.1f} times less processor time)"


if __name__ == "__main__":
    typer.run(main)
