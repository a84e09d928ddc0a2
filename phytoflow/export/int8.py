"""Is int8 worth it? Tried on photos it was not calibrated on, and kept only where it agrees and is faster."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.config import ExportSettings
from phytoflow.data.dataset import Dataset
from phytoflow.data.photo import LabelledPhoto
from phytoflow.export.forms import FILES
from phytoflow.export.parity import compare
from phytoflow.export.photos import spread
from phytoflow.export.quantise import FILE, RECIPES, Recipe, quantise
from phytoflow.inference.probabilities import softmax
from phytoflow.inference.runtime import Runtime, RuntimeName, installed, open_model
from phytoflow.inference.timing import side_by_side
from phytoflow.models.bundle import BundleManifest, Int8, Int8Trial, ModelFile, file_sha256
from phytoflow.openset.detector import Detector
from phytoflow.openset.statistics import Statistics
from phytoflow.progress import track

_LIGHT: tuple[RuntimeName, ...] = ("onnx", "openvino")
_BATCH, _ROUNDS = 8, 41
_FASTER = 0.95  # of float's time: less is within what two runs of the same differ by
_MARGIN = 0.05  # other CPUs round otherwise than this one
_LOG = logging.getLogger(__name__)


def with_int8(
    folder: Path,
    manifest: BundleManifest,
    dataset: Dataset,
    photos: Sequence[LabelledPhoto],
    tensors: NDArray[np.float32],
    settings: ExportSettings,
) -> BundleManifest:
    """Tries to quantise a bundle's ONNX form.

    Training photos calibrate, validation photos choose the recipe, test photos judge. The file is kept, as a
    form of its own, if through every runtime installed it gives at least ``settings.int8_agreement`` of the
    photos the float model's class, loses no more than ``settings.int8_loss`` of its accuracy and changes no
    probe photo's class, and if the fastest runtime is faster with it.

    Args:
        folder: Of the bundle, complete but for this.
        manifest: Of the bundle.
        dataset: The photos.
        photos: Test photos that judge.
        tensors: The same preprocessed, float32 [N, 3, size, size].
        settings: What is asked of it.

    Returns:
        The manifest with what was found, and with the form where it is worth it.
    """
    target, source = folder / FILE, folder / FILES["onnx"]
    recipe = _quantised(source, target, manifest, dataset, settings.int8_photos)
    judged = _Judged(manifest, folder, photos, tensors)
    trials = tuple(judged.trial(name, source, target) for name in _LIGHT if installed(name))
    refused = _refused(trials, settings)
    found = Int8(
        refused=refused,
        recipe=recipe.name,
        photos=len(photos),
        bytes=target.stat().st_size,
        float_bytes=source.stat().st_size,
        trials=trials,
    )
    _LOG.info("int8 (%s): %s", recipe.name, f"refused: {refused}" if refused else "kept")
    if refused:
        target.unlink()
        return manifest.model_copy(update={"int8": found})
    models = manifest.models | {"int8": _file(target, found)}
    return manifest.model_copy(update={"int8": found, "models": models})


def _quantised(source: Path, target: Path, manifest: BundleManifest, dataset: Dataset, count: int) -> Recipe:
    """Writes the file by the recipe that moves the probabilities of validation photos least."""
    calibrating = _tensors(manifest, dataset, "train", count)
    judging = _tensors(manifest, dataset, "validation", count) if dataset.count("validation") else calibrating
    asked = partial(_probabilities, tensors=judging, temperature=manifest.temperature)
    exact = asked(open_model("onnx", source, threads=1))
    moved: dict[Recipe, float] = {}
    for recipe in track(RECIPES, "Trying int8"):
        quantise(source, target, calibrating, recipe)
        moved[recipe] = float(np.abs(asked(open_model("onnx", target, threads=1)) - exact).mean())
        _LOG.info("int8, %s: probabilities move by %.4f on average", recipe.name, moved[recipe])
    best = min(RECIPES, key=lambda recipe: moved[recipe])
    if best is not RECIPES[-1]:
        quantise(source, target, calibrating, best)
    return best


def _tensors(manifest: BundleManifest, dataset: Dataset, split: str, count: int) -> NDArray[np.float32]:
    wanted = set(spread(dataset.labels(split), count))
    contents = (photo.content for at, photo in enumerate(dataset.photos(split)) if at in wanted)
    return np.stack([manifest.preprocessing(content) for content in contents])


def _probabilities(model: Runtime, tensors: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    starts = range(0, len(tensors), _BATCH)
    logits = [model.run(np.ascontiguousarray(tensors[i : i + _BATCH])).logits for i in starts]
    return softmax(np.concatenate(logits), temperature)


@dataclass(frozen=True)
class _Answers:
    probabilities: NDArray[np.float32]
    known: NDArray[np.bool_] | None


class _Judged:
    """Photos that judge, and a bundle's way to answer them."""

    def __init__(
        self,
        manifest: BundleManifest,
        folder: Path,
        photos: Sequence[LabelledPhoto],
        tensors: NDArray[np.float32],
    ) -> None:
        self._manifest, self._tensors = manifest, tensors
        self._labels = np.array([manifest.classes.index(photo.label) for photo in photos])
        known = manifest.open_set
        statistics = Statistics.load(folder / known.file) if known else None
        self._detector = (
            Detector(statistics, known.method, known.typical, known.threshold)
            if known and statistics
            else None
        )
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
        parity = compare(recorded, _probabilities(model, self._probes, self._manifest.temperature))
        return parity.max_probability_difference if parity.top1_agreement == 1 else None


def _agreement(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> float | None:
    return None if one is None or other is None else float((one == other).mean())


def _refused(trials: Sequence[Int8Trial], settings: ExportSettings) -> str:
    """Why it is not worth it; empty if it is."""
    reasons = [reason for trial in trials for reason in _faults(trial, settings)]
    best, exact = min(t.milliseconds for t in trials), min(t.float_milliseconds for t in trials)
    if best > _FASTER * exact:
        reasons.append(f"it is not faster: {best:.2f} ms a photo, float {exact:.2f} ms")
    return "; ".join(reasons)


def _faults(trial: Int8Trial, settings: ExportSettings) -> list[str]:
    found, least = [], settings.int8_agreement
    if trial.agreement < least:
        found.append(
            f"{trial.runtime}: only {trial.agreement:.1%} of photos get float's class, not {least:.1%}"
        )
    if trial.float_accuracy - trial.accuracy > settings.int8_loss:
        found.append(
            f"{trial.runtime}: accuracy falls from {trial.float_accuracy:.1%} to {trial.accuracy:.1%}"
        )
    if trial.known_agreement is not None and trial.known_agreement < least:
        share = f"{trial.known_agreement:.1%}"
        found.append(f"{trial.runtime}: only {share} of photos stay known or strange as to float")
    if trial.probe_difference is None:
        found.append(f"{trial.runtime}: a probe photo changes its class")
    return found


def _file(path: Path, found: Int8) -> ModelFile:
    worst = max(trial.probe_difference or 0.0 for trial in found.trials)
    return ModelFile(
        file=path.name,
        sha256=file_sha256(path),
        bytes=found.bytes,
        max_probability_difference=max(trial.max_difference for trial in found.trials),
        top1_agreement=min(trial.agreement for trial in found.trials),
        photos_compared=found.photos,
        tolerance=round(worst + _MARGIN, 3),
    )
