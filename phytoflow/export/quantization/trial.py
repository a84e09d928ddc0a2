"""Compares an int8 model with the float model it was made from: answers, probe photos and time."""

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
from phytoflow.inference.latency import interleaved_medians
from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.base import Outputs, Runtime, RuntimeName
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.ood.detector import OodDetector

_BATCH = 8
_ROUNDS = 41  # timings of each model; the median of an odd number is one of them


def predict(model: Runtime, tensors: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """Probabilities of preprocessed photos, float32 [N, C]."""
    logits = [outputs.logits for outputs in _run(model, tensors)]
    return softmax(np.concatenate(logits), temperature)


@dataclass(frozen=True)
class _Answers:
    """Probabilities [N, C] and, with OOD detection, which photos are known [N]."""

    probabilities: NDArray[np.float32]
    known: NDArray[np.bool_] | None


class Int8Comparison:
    """Compares models on a bundle's test and probe photos.

    Args:
        manifest: The bundle's manifest.
        folder: Folder of the bundle.
        photos: Test photos.
        tensors: The same preprocessed, float32 [N, 3, size, size].
    """

    def __init__(
        self,
        manifest: BundleManifest,
        folder: Path,
        photos: Sequence[LabelledPhoto],
        tensors: NDArray[np.float32],
    ) -> None:
        bundle = Bundle(folder, manifest)
        self._manifest, self._tensors = manifest, tensors
        self._labels = np.array([manifest.classes.index(photo.label) for photo in photos])
        self._detector = OodDetector.from_bundle(bundle)
        self._probes = np.stack([manifest.preprocessing(content) for content in bundle.probe_contents()])

    def run(self, name: RuntimeName, source: Path, target: Path) -> Int8Trial:
        """Compares the int8 file ``target`` with the float file ``source`` in one runtime."""
        models = [open_model(name, path, threads=1) for path in (source, target)]
        exact, quantized = (self._answer(model) for model in models)
        parity = compare(exact.probabilities, quantized.probabilities)
        one = np.ascontiguousarray(self._tensors[:1])
        float_ms, int8_ms = interleaved_medians([partial(model.run, one) for model in models], _ROUNDS)
        return Int8Trial(
            runtime=name,
            accuracy=self._accuracy(quantized),
            float_accuracy=self._accuracy(exact),
            agreement=parity.top1_agreement,
            known_agreement=_agreement(exact.known, quantized.known),
            max_difference=parity.max_probability_difference,
            mean_difference=float(np.abs(quantized.probabilities - exact.probabilities).mean()),
            probe_difference=self._compare_probes(models[1]),
            milliseconds=int8_ms,
            float_milliseconds=float_ms,
        )

    def _answer(self, model: Runtime) -> _Answers:
        parts = _run(model, self._tensors)
        logits = np.concatenate([part.logits for part in parts])
        features = [part.features for part in parts if part.features is not None]
        known = self._detector.novelty(logits, np.concatenate(features)) <= 1 if self._detector else None
        return _Answers(softmax(logits, self._manifest.temperature), known)

    def _accuracy(self, answers: _Answers) -> float:
        return float((answers.probabilities.argmax(axis=1) == self._labels).mean())

    def _compare_probes(self, model: Runtime) -> float | None:
        """Largest difference on a probe photo; None if one changes its class."""
        recorded = np.array([probe.probabilities for probe in self._manifest.probes], np.float32)
        parity = compare(recorded, predict(model, self._probes, self._manifest.temperature))
        return parity.max_probability_difference if parity.top1_agreement == 1 else None


def _run(model: Runtime, tensors: NDArray[np.float32]) -> list[Outputs]:
    starts = range(0, len(tensors), _BATCH)
    return [model.run(np.ascontiguousarray(tensors[start : start + _BATCH])) for start in starts]


def _agreement(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> float | None:
    return None if one is None or other is None else float((one == other).mean())
