"""`python -m benchmarks.training [FOLDER]`: time to a test macro-F1, against end-to-end fine-tuning.

Both sides are the project's own `train`, with the same splits, backbone, pretrained weights, augmentation and
device. End-to-end fine-tuning gets the schedule that suits it: it is run again with 1, 2, 4, ... epochs, each
with a complete cosine, and only the shortest run that reaches the quality counts. Results are means over
several seeds, each with a split of its own: a single run may reach a quality by chance.
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

from benchmarks.null_tracker import NullTracker
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.models.checkpoint import load_trained
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train

SYNTHETIC_PHOTOS = 200
"""Photos of each class if none are given: enough to hold some out, as most sets can."""


@dataclass(frozen=True)
class Result:
    """One training.

    Attributes:
        name: What was trained.
        seconds: Wall-clock time.
        cpu_seconds: Processor time.
        macro_f1: Macro-F1 on the test photos.
    """

    name: str
    seconds: float
    cpu_seconds: float
    macro_f1: float

    def __str__(self) -> str:
        times = f"{self.seconds:8.1f} s {self.cpu_seconds:8.1f} CPU s"
        return f"{self.name:24s} {times}   macro-F1 {self.macro_f1:.4f}"


def measure(
    name: str,
    dataset: Dataset,
    settings: TrainingSettings,
    seed: int,
    folder: Path,
    model: ModelSettings | None = None,
) -> Result:
    """Trains once and evaluates on the test photos, preprocessed as when served."""
    start, cpu = time.perf_counter(), time.process_time()
    checkpoints = str(folder / "checkpoints")
    train(dataset, model or ModelSettings(), settings, seed, folder / name, checkpoints, NullTracker())
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    trained, photos = load_trained(folder / name), list(dataset.photos("test"))
    with torch.inference_mode():
        tensors = (torch.from_numpy(trained.preprocessing(photo.content))[None] for photo in photos)
        predictions = [int(trained.model(tensor).argmax()) for tensor in tensors]
    labels = [dataset.classes.index(photo.label) for photo in photos]
    return Result(name, seconds, cpu_seconds, float(f1_score(labels, predictions, average="macro")))


def measure_seeds(name: str, datasets: Sequence[Dataset], settings: TrainingSettings, work: Path) -> Result:
    """Trains once on each dataset with seeds 0, 1, ...; prints each result and returns their means."""
    results = []
    for seed, dataset in enumerate(datasets):
        results.append(measure(name, dataset, settings, seed, work / str(seed)))
        print(f"seed {seed}  {results[-1]}", flush=True)
    values = ((result.seconds, result.cpu_seconds, result.macro_f1) for result in results)
    return Result(name, *(mean(column) for column in zip(*values, strict=True)))


def end_to_end_settings(epochs: int) -> TrainingSettings:
    """End-to-end training of exactly so many epochs."""
    return TrainingSettings(strategy="full", end_to_end_epochs=epochs, early_stopping_patience=epochs + 1)


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Class folders of photos; default: drawn leaves.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits and trainings behind each mean.")] = 3,
    first_epochs: Annotated[int, typer.Option(min=1, help="Epochs of the shortest end-to-end run.")] = 1,
    most_epochs: Annotated[int, typer.Option(help="Epochs of the longest end-to-end run.")] = 16,
    tolerance: Annotated[
        float, typer.Option(help="End-to-end training may be this much worse and still count.")
    ] = 0.001,
) -> None:
    """Prints the time of both sides to the same quality, and the ratio."""
    logging.basicConfig(level=logging.WARNING)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        photos = folder or make_synthetic_dataset(work / "photos", SYNTHETIC_PHOTOS)
        datasets = [_prepare(photos, seed, work / f"dataset-{seed}") for seed in range(seeds)]
        splits = ("train", "validation", "test")
        print(", ".join(f"{datasets[0].count(split)} {split} photos" for split in splits))
        ours = measure_seeds("two stages", datasets, TrainingSettings(), work)
        print(f"mean    {ours}", flush=True)
        goal = ours.macro_f1 - tolerance
        print(verdict(ours, _measure_end_to_end(goal, datasets, work, first_epochs, most_epochs), goal))


def _prepare(photos: Path, seed: int, folder: Path) -> Dataset:
    prepare(str(photos), DataSettings(), preprocessing_for(ModelSettings()), seed, folder)
    return Dataset.open(folder)


def _measure_end_to_end(
    goal: float, datasets: Sequence[Dataset], work: Path, epochs: int, most: int
) -> Result:
    while True:
        result = measure_seeds(f"end to end, {epochs} epochs", datasets, end_to_end_settings(epochs), work)
        print(f"mean    {result}", flush=True)
        if result.macro_f1 >= goal or epochs * 2 > most:
            return result
        epochs *= 2


def verdict(ours: Result, theirs: Result, goal: float) -> str:
    """How much sooner two stages reach the goal; a lower bound if end-to-end training did not reach it."""
    ratio, cpu = theirs.seconds / ours.seconds, theirs.cpu_seconds / ours.cpu_seconds
    sign = "" if theirs.macro_f1 >= goal else "more than "
    return f"two stages reach it {sign}{ratio:.1f} times sooner ({cpu:.1f} times less processor time)"


if __name__ == "__main__":
    typer.run(main)
