"""`python -m benchmarks.robustness [FOLDER]`: what the field preset saves where photos are bad.

Each seed has its split, and on it the project's own `train` once with the light and once with the field
preset, all else by default. Test photos go through the exported model, as they are and corrupted in every
way at five severities; figures are means over the seeds.
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

from benchmarks.null_tracker import Silent
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
from phytoflow.models.checkpoint import read_facts
from phytoflow.models.factory import preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.train import train

SAMPLE_PHOTOS = 60
"""Of each class, where no photos are given."""
EXPORT = ExportSettings(formats=("onnx",), ood_reference_photos=0)
Preset = Literal["light", "field"]
PRESETS: tuple[Preset, ...] = get_args(Preset)


@dataclass(frozen=True)
class Measured:
    """One model: its test macro-F1, what corruption does to it, and how much of stage two was chosen."""

    macro_f1: float
    robustness: Robustness
    share: float


def measure(dataset: Dataset, preset: Preset, seed: int, work: Path, changes: dict[str, Any]) -> Measured:
    """Trains with a preset, exports, and asks for every test photo in every condition."""
    bundle = work / f"{preset}-bundle"
    if not bundle.exists():
        settings = validate(TrainingSettings, {**changes, "augmentation": preset})
        train(dataset, ModelSettings(), settings, seed, work / preset, str(work / "checkpoints"), Silent())
        origin = Provenance(data_hash=dataset.summary.data_hash, code_version="", settings={}, run_id="")
        export(work / preset, dataset, EXPORT, origin, bundle)
    classifier = Classifier.load(bundle, "onnx")
    photos = list(dataset.photos("test"))
    labels = np.array([dataset.classes.index(photo.label) for photo in photos], np.int64)
    answers = classifier.predict([photo.content for photo in photos]).probabilities.argmax(axis=1)
    pixels = [classifier.bundle.manifest.preprocessing.decode(photo.content) for photo in photos]
    found = measure_robustness(classifier, pixels, labels, seed)
    share = float(read_facts(work / preset)["share"])
    return Measured(float(f1_score(labels, answers, average="macro")), found, share)


def table(light: list[Measured], field: list[Measured]) -> list[str]:
    """Markdown: means over the seeds, one row a corruption, and the verdict."""
    sides = (light, field)
    rows = [_row(name, [fmean(value(run) for run in side) for side in sides]) for name, value in _HEADS]
    for name in light[0].robustness.accuracy:
        means = [
            [fmean(cell) for cell in zip(*(r.robustness.accuracy[name] for r in s), strict=True)]
            for s in sides
        ]
        rows.append(_row(name, [fmean(mean) for mean in means], *(_severities(mean) for mean in means)))
    lost = [fmean(run.robustness.lost for run in side) for side in sides]
    rows += [_row("mean over corruptions", [_mean(side) for side in sides]), _row("accuracy lost", lost)]
    head = "| | light | field | light, severities 1 to 5 | field, severities 1 to 5 |\n|---|---|---|---|---|"
    clean = fmean(run.robustness.clean for run in field) - fmean(run.robustness.clean for run in light)
    verdict = f"field loses {1 - lost[1] / lost[0]:.0%} less to corruption than light, clean {clean:+.3f}"
    return [head, *rows, "", verdict]


_HEADS = (
    ("clean accuracy", lambda run: run.robustness.clean),
    ("clean macro-F1", lambda run: run.macro_f1),
)


def _mean(side: list[Measured]) -> float:
    return fmean(1 - run.robustness.mean_corruption_error for run in side)


def _row(name: str, means: list[float], *more: str) -> str:
    cells = [f"{mean:.3f}" for mean in means] + list(more or ("", ""))
    return f"| {name} | {' | '.join(cells)} |"


def _severities(values: list[float]) -> str:
    return " ".join(f"{value:.2f}" for value in values)


def main(
    folder: Annotated[
        Path | None, typer.Argument(help="Class folders of photos; none: the sample set.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Splits and trainings, numbered from 0.")] = 3,
    work: Annotated[Path | None, typer.Option(help="Folder to keep; given again, goes on there.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="training.KEY=VALUE for both sides; repeatable.")
    ] = None,
) -> None:
    """Trains with both presets and prints what bad photos cost each."""
    logging.basicConfig(level=logging.WARNING)
    changes = SettingsOverrides.read(None, settings or []).tree.get("training", {})
    print(f"seeds 0 to {seeds - 1}; settings: {', '.join(settings or ['default'])}\n", flush=True)
    with tempfile.TemporaryDirectory() as aside:
        places = [(work or Path(aside)) / f"seed-{seed}" for seed in range(seeds)]
        runs = [_both(folder, seed, place, changes) for seed, place in enumerate(places)]
    light, field = ([run[side] for run in runs] for side in (0, 1))
    print("\n".join(["", *table(light, field)]))


def _both(folder: Path | None, seed: int, work: Path, changes: dict[str, Any]) -> tuple[Measured, Measured]:
    """Light and field on the same split."""
    if not (work / "dataset").exists():
        photos = folder or make_synthetic_dataset(work / "sample", SAMPLE_PHOTOS, seed)
        prepare(str(photos), DataSettings(), preprocessing_for(ModelSettings()), seed, work / "dataset")
    dataset = Dataset.open(work / "dataset")
    light, field = (measure(dataset, preset, seed, work, changes) for preset in PRESETS)
    for preset, run in zip(PRESETS, (light, field), strict=True):
        lost, clean = run.robustness.lost, run.robustness.clean
        told = f"clean {clean:.3f}, lost {lost:.4f}, share of stage two {run.share}"
        print(f"seed {seed}, {dataset.count('test')} test photos, {preset}: {told}", flush=True)
    return light, field


if __name__ == "__main__":
    typer.run(main)
