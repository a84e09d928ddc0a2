"""Is int8 worth it? Tried on photos it was not calibrated on, and kept only where it agrees and is faster."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import BundleManifest, ModelFile
from phytoflow.bundle.reports import Int8Report, Int8Trial
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.export.formats import FILES
from phytoflow.export.photo_selection import spread
from phytoflow.export.quantization.quantize import FILE, RECIPES, Recipe, quantise
from phytoflow.export.quantization.trial import Judged, probabilities
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.runtimes.base import RuntimeName
from phytoflow.inference.runtimes.factory import installed, open_model
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.progress import track

_LIGHT: tuple[RuntimeName, ...] = ("onnx", "openvino")
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
    form of its own, if through every runtime installed it gives at least ``settings.int8_min_agreement`` of
    the photos the float model's class, loses no more than ``settings.int8_max_accuracy_drop`` of its accuracy
    and changes no probe photo's class, and if the fastest runtime is faster with it.

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
    recipe = _quantised(source, target, manifest, dataset, settings.int8_calibration_photos)
    judged = Judged(manifest, folder, photos, tensors)
    trials = tuple(judged.trial(name, source, target) for name in _LIGHT if installed(name))
    refused = _refused(trials, settings)
    found = Int8Report(
        rejection_reason=refused,
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
    asked = partial(probabilities, tensors=judging, temperature=manifest.temperature)
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


def _refused(trials: Sequence[Int8Trial], settings: ExportSettings) -> str:
    """Why it is not worth it; empty if it is."""
    reasons = [reason for trial in trials for reason in _faults(trial, settings)]
    best, exact = min(t.milliseconds for t in trials), min(t.float_milliseconds for t in trials)
    if best > _FASTER * exact:
        reasons.append(f"it is not faster: {best:.2f} ms a photo, float {exact:.2f} ms")
    return "; ".join(reasons)


def _faults(trial: Int8Trial, settings: ExportSettings) -> list[str]:
    found, least = [], settings.int8_min_agreement
    if trial.agreement < least:
        found.append(
            f"{trial.runtime}: only {trial.agreement:.1%} of photos get float's class, not {least:.1%}"
        )
    if trial.float_accuracy - trial.accuracy > settings.int8_max_accuracy_drop:
        found.append(
            f"{trial.runtime}: accuracy falls from {trial.float_accuracy:.1%} to {trial.accuracy:.1%}"
        )
    if trial.known_agreement is not None and trial.known_agreement < least:
        share = f"{trial.known_agreement:.1%}"
        found.append(f"{trial.runtime}: only {share} of photos stay known or strange as to float")
    if trial.probe_difference is None:
        found.append(f"{trial.runtime}: a probe photo changes its class")
    return found


def _file(path: Path, found: Int8Report) -> ModelFile:
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
