"""What a bundle makes of held-out photos, as they are and shifted; computed once and kept in a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.monitoring.shifts import SHIFTS, Pixels
from phytoflow.cli.photos.inputs import list_files
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.robustness.corruptions import CORRUPTIONS, SEVERITIES
from phytoflow.inference.classifier import Classifier
from phytoflow.monitoring.observations import Observations, observe
from phytoflow.monitoring.reference import Reference
from phytoflow.ood.detector import OodDetector
from phytoflow.system.batches import batched
from phytoflow.system.cpu import cpu_count
from phytoflow.system.threads import thread_map

OTHERS = "other plants"
_MOST_OTHERS = 200  # photos
_MOST_CORRUPTED = 100  # photos of each corruption and severity: forty times a run of the network
_BATCH = 8


@dataclass(frozen=True)
class HeldOut:
    """Held-out photos of a dataset: validation and test.

    Attributes:
        clean: As a reference would hold them.
        shifted: The same photos under each shift, and photos of other plants.
        corrupted: Some of them under each corruption at each severity, with their true classes.
    """

    clean: Reference
    shifted: dict[str, Observations]
    corrupted: dict[str, list[Reference]]


def held_out(bundle: Path, dataset: Path, others: Path, work: Path) -> HeldOut:
    """Runs the bundle on everything that the tables need, or reads what an earlier call kept in ``work``."""
    runner = _Runner(bundle, work)
    photos = [p for split in ("validation", "test") for p in Dataset.open(dataset).photos(split)]
    names = {name: index for index, name in enumerate(runner.classes)}
    true = np.array([names[photo.label] for photo in photos])
    groups = np.unique([photo.group for photo in photos], return_inverse=True)[1]
    decode = runner.classifier.bundle.manifest.preprocessing.decode
    pixels = [decode(photo.content) for photo in photos]
    shifted = {name: runner.run(name, map(shift, pixels)) for name, shift in SHIFTS.items()}
    files = [file.file for file in list_files([others]) if not file.skipped][:_MOST_OTHERS]
    shifted[OTHERS] = runner.run(OTHERS, (decode(file.read_bytes()) for file in files))
    few = np.sort(np.random.default_rng(0).permutation(len(photos))[:_MOST_CORRUPTED])
    corrupted = {
        name: [
            Reference(
                runner.run(f"{name} {severity}", _corrupt(pixels, few, name, severity)),
                true[few],
                groups[few],
                runner.classes,
            )
            for severity in SEVERITIES
        ]
        for name in CORRUPTIONS
    }
    return HeldOut(Reference(shifted["clean"], true, groups, runner.classes), shifted, corrupted)


def _corrupt(pixels: list[Pixels], rows: NDArray[np.int64], name: str, severity: int) -> Iterable[Pixels]:
    generator = np.random.default_rng(severity)
    return (CORRUPTIONS[name](pixels[row], severity, generator) for row in rows)


class _Runner:
    def __init__(self, bundle: Path, work: Path) -> None:
        self.classifier = Classifier.load(bundle, "onnx", 1, concurrency=cpu_count())
        self.classes = self.classifier.classes
        self._detector = OodDetector.from_bundle(self.classifier.bundle)
        self._work = work / self.classifier.bundle.manifest.version
        self._work.mkdir(parents=True, exist_ok=True)

    def run(self, name: str, pixels: Iterable[Pixels]) -> Observations:
        file = self._work / f"{name}.npz"
        if not file.exists():
            parts = thread_map(self._run_batch, batched(pixels, _BATCH), cpu_count())
            columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
            np.savez(file, label=columns[0], confidence=columns[1], novelty=columns[2], features=columns[3])
        with np.load(file) as arrays:
            statistics = self._detector.statistics if self._detector else None
            return observe(
                arrays["label"], arrays["confidence"], arrays["novelty"], arrays["features"], statistics
            )

    def _run_batch(self, batch: list[Pixels]) -> tuple[NDArray[np.generic], ...]:
        preprocessing = self.classifier.bundle.manifest.preprocessing
        outputs = self.classifier.outputs(preprocessing.normalise(np.stack(batch)))
        predictions = self.classifier.to_predictions(outputs)
        assert predictions.novelty is not None and outputs.features is not None
        probabilities = predictions.probabilities
        features = outputs.features.astype(np.float16)  # as they are logged
        return probabilities.argmax(axis=1), probabilities.max(axis=1), predictions.novelty, features
