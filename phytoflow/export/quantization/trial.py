"""An int8 model beside the float one it was made from: answers, probe photos and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest
from phytoflow.bundle.reports import Int8Trial
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.export.parity import compare
from phytoflow.inference.latency import side_by_side
from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.base import Runtime, RuntimeName
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.ood.detector import OodDetector

_BATCH, _ROUNDS = 8, 41


def probabilities(model: Runtime, tensors: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """A model's answers to preprocessed photos, float32 [N, C]."""
    starts = range(0, len(tensors), _BATCH)
    logits = [model.run(np.ascontiguousarray(tensors[i : i + _BATCH])).logits for i in starts]
    return softmax(np.concatenate(logits), temperature)


@dataclass(frozen=True)
class _Answers:
    probabilities: NDArray[np.float32]
    known: NDArray[np.bool_] | None


class Judged:
    """Photos that judge, and a bundle's way to answer them.

    Args:
        manifest: Of the bundle.
        folder: Of the bundle.
        photos: They judge.
        tensors: The same preprocessed, float32 [N, 3, size, size].
    """

    def __init__(
        self,
        manifest: BundleManifest,
        folder: Path,
        photos: Sequence[LabelledPhoto],
        tensors: NDArray[np.float32],
    ) -> None:
        self._manifest, self._tensors = manifest, tensors
        self._labels = np.array([manifest.classes.index(photo.label) for photo in photos])
        self._detector = OodDetector.from_bundle(Bundle(folder, manifest))
        self._probes = np.stack(
            [manifest.preprocessing((folder / p.file).read_bytes()) for p in manifest.probes]
        )

    def trial(self, name: RuntimeName, source: Path, target: Path) -> Int8Trial:
        """The int8 file beside the float one through a runtime."""
        models = [open_model(name, path, threads=1) for path in (source, target)]
        exact, quantised = (self._answers(model) for model in models)
        parity = compare(exact.probabilities, quantised.probabilities)
        one = np.ascontiguousarray(self._tensors[:1])
        times = side_by_side([partial(model.run, one) for model in models], _ROUNDS)
        return Int8Trial(
            runtime=name,
            accuracy=self._accuracy(quantised),
            float_accuracy=self._accuracy(exact),
            agreement=parity.top1_agreement,
            known_agreement=_agreement(exact.known, quantised.known),
            max_difference=parity.max_probability_difference,
            mean_difference=float(np.abs(quantised.probabilities - exact.probabilities).mean()),
            probe_difference=self._on_probes(models[1]),
            milliseconds=times[1],
            float_milliseconds=times[0],
        )

    def _answers(self, model: Runtime) -> _Answers:
        starts = range(0, len(self._tensors), _BATCH)
        found = [model.run(np.ascontiguousarray(self._tensors[i : i + _BATCH])) for i in starts]
        logits = np.concatenate([part.logits for part in found])
        features = [part.features for part in found if part.features is not None]
        known = self._detector.novelty(logits, np.concatenate(features)) <= 1 if self._detector else None
        return _Answers(softmax(logits, self._manifest.temperature), known)

    def _accuracy(self, answers: _Answers) -> float:
        return float((answers.probabilities.argmax(axis=1) == self._labels).mean())

    def _on_probes(self, model: Runtime) -> float | None:
        recorded = np.array([probe.probabilities for probe in self._manifest.probes], np.float32)
        parity = compare(recorded, probabilities(model, self._probes, self._manifest.temperature))
        return parity.max_probability_difference if parity.top1_agreement == 1 else None


def _agreement(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> float | None:
    return None if one is None or other is None else float((one == other).mean())
