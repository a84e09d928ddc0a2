"""`python -m benchmarks.robustness [FOLDER]`: what the outdoor preset saves if photos are bad.

Each seed has a split of its own, on which the project's own `train` runs with the light and with the outdoor
preset and otherwise default settings. The exported model classifies the test photos as they are, and with
every corruption at five severities. Results are means over the seeds.
"""

from __future__ import annotations

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal, get_args

import numpy as np
import typer
from sklearn.metrics import f1_score

from benchmarks.null_tracker import NullTracker
from phytoflow.bundle.manifest import Provenance
from phytoflow.config.loader import validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.evaluation.robustness.benchmark import measure_robustness
from phytoflow.evaluation.robustness.schema import Robustness
from phytoflow.export.export import export
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.models.checkpoint import read_summary
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train

SYNTHETIC_PHOTOS = 60
"""Photos of each class if none are given."""
EXPORT = ExportSettings(formats=("onnx",), ood_reference_photos=0)
Preset = Literal["light", "outdoor"]
PRESETS: tuple[Preset, ...] = get_args(Preset)


@dataclass(frozen=True)
class Result:
    """One model.

    Attributes:
        macro_f1: Macro-F1 on the test photos.
        robustness: Accuracy under corruption.
        alpha: Position between the first (0) and the second stage (1) that was selected.
    """

    macro_f1: float
    robustness: Robustness
    alpha: float


def measure(dataset: Dataset, preset: Preset, seed: int, work: Path, changes: dict[str, Any]) -> Result:
    """Trains with a preset, exports, and classifies every test photo in every condition."""
    bundle = work / f"{preset}-bundle"
    if not bundle.exists():
        settings = validate(TrainingSettings, {**changes, "augmentation": preset})
        train(
            dataset, ModelSettings(), settings, seed, work / preset, str(work / "checkpoints"), NullTracker()
        )
        origin = Provenance(data_hash=dataset.summary.data_hash, code_version="", settings={}, run_id="")
        export(work / preset, dataset, EXPORT, origin, bundle)
    classifier = Classifier.load(bundle, "onnx")
    photos = list(dataset.photos("test"))
    labels = np.array([dataset.classes.index(photo.label) for photo in photos], np.int64)
    predictions = classifier.predict([photo.content for photo in photos]).probabilities.argmax(axis=1)
    pixels = [classifier.bundle.manifest.preprocessing.decode(photo.content) for photo in photos]
    robustness = measure_robustness(classifier, pixels, labels, seed)
    alpha = float(read_summary(work / preset)["alpha"])
    return Result(float(f1_score(labels, predictions, average="macro")), robustness, alpha)


def table(light: list[Result], outdoor: list[Result]) -> list[str]:
    """A Markdown table of means over the seeds, with a row for each corruption, and a verdict."""
    sides = (light, outdoor)
    rows = [_row(name, [fmean(value(run) for run in side) for side in sides]) for name, value in _HEADS]
    for name in light[0].robustness.accuracy:
        means = [
            [fmean(cell) for cell in zip(*(r.robustness.accuracy[name] for r in s), strict=True)]
            for s in sides
        ]
        rows.append(_row(name, [fmean(mean) for mean in means], *(_severities(mean) for mean in means)))
    lost = [fmean(run.robustness.lost for run in side) for side in sides]
    rows += [_row("mean over corruptions", [_mean(side) for side in sides]), _row("accuracy lost", lost)]
    head = "| | light | outdoor | light, severities 1 to 5 | outdoor, severities 1 to 5 |"
    clean = fmean(run.robustness.clean for run in outdoor) - fmean(run.robustness.clean for run in light)
    verdict = f"outdoor loses {1 - lost[1] / lost[0]:.0%} less to corruption than light, clean {clean:+.3f}"
    return [head, "|---|---|---|---|---|", *rows, "", verdict]


_HEADS = (
    ("clean accuracy", lambda run: run.robustness.clean),
    ("clean macro-F1", lambda run: run.macro_f1),
)


def _mean(side: list[Result]) -> float:
    return fmean(1 - run.robustness.mean_corruption_error for run in side)


def _row(name: str, means: list[float], *more: str) -> str:
    cells = [f"{mean:.3f}" for mean in means] + list(more or ("", ""))
    return f"| {name} | {' | '.join(cells)} |"


def _severities(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Class folders of photos; default: drawn leaves.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits and trainings, numbered from 0.")] = 3,
    work: Annotated[Path | None, typer.Option(help="Folder to keep; given again, goes on there.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="training.KEY=VALUE for both sides; repeatable.")
    ] = None,
) -> None:
    """Trains with both presets and prints what bad photos cost with each."""
    logging.basicConfig(level=logging.WARNING)
    changes = SettingsOverrides.read(None, settings or []).tree.get("training", {})
    print(f"seeds 0 to {seeds - 1}; settings: {', '.join(settings or ['default'])}\n", flush=True)
    with tempfile.TemporaryDirectory() as aside:
        places = [(work or Path(aside)) / f"seed-{seed}" for seed in range(seeds)]
        runs = [_both(folder, seed, place, changes) for seed, place in enumerate(places)]
    light, outdoor = ([run[side] for run in runs] for side in (0, 1))
    print("\n".join(["", *table(light, outdoor)]))


def _both(folder: Path | None, seed: int, work: Path, changes: dict[str, Any]) -> tuple[Result, Result]:
    """Both presets on the same split."""
    if not (work / "dataset").exists():
        photos = folder or make_synthetic_dataset(work / "sample", SYNTHETIC_PHOTOS, seed)
        prepare(str(photos), DataSettings(), preprocessing_for(ModelSettings()), seed, work / "dataset")
    dataset = Dataset.open(work / "dataset")
    light, outdoor = (measure(dataset, preset, seed, work, changes) for preset in PRESETS)
    for preset, run in zip(PRESETS, (light, outdoor), strict=True):
        lost, clean = run.robustness.lost, run.robustness.clean
        values = f"clean {clean:.3f}, lost {lost:.4f}, {run.alpha:.0%} of the way to stage two"
        print(f"seed {seed}, {dataset.count('test')} test photos, {preset}: {values}", flush=True)
    return light, outdoor


if __name__ == "__main__":
    typer.run(main)
