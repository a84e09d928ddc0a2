"""Adds an int8 model to a bundle if it agrees with the float model and is faster on this machine."""

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
from phytoflow.export.photo_selection import select_photos
from phytoflow.export.quantization.quantize import FILE, RECIPES, Recipe, quantize
from phytoflow.export.quantization.trial import Int8Comparison, predict
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.runtimes.base import RuntimeName
from phytoflow.inference.runtimes.factory import installed, open_model
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.progress import track

_RUNTIMES: tuple[RuntimeName, ...] = ("onnx", "openvino")
_FASTER = 0.95  # of the float model's time: two runs of the same model differ by less
_MARGIN = 0.05  # added to the largest difference seen here: other CPUs round differently
_LOG = logging.getLogger(__name__)


def add_int8(
    folder: Path,
    manifest: BundleManifest,
    dataset: Dataset,
    photos: Sequence[LabelledPhoto],
    tensors: NDArray[np.float32],
    settings: ExportSettings,
) -> BundleManifest:
    """Quantizes a bundle's ONNX model and keeps the result if it is worth it.

    Training photos calibrate, validation photos select the recipe, test photos evaluate. The file is kept if
    through every installed runtime at least ``settings.int8_min_agreement`` of the photos get the float
    model's class, accuracy falls by no more than ``settings.int8_max_accuracy_drop`` and no probe photo
    changes its class, and if it is faster in the fastest runtime.

    Args:
        folder: Folder of the bundle, complete except for this.
        manifest: The manifest so far.
        dataset: The photos.
        photos: Test photos.
        tensors: The same preprocessed, float32 [N, 3, size, size].
        settings: Limits.

    Returns:
        The manifest with a report, and with the file if it was kept.
    """
    target, source = folder / FILE, folder / FILES["onnx"]
    recipe = _quantize_best(source, target, manifest, dataset, settings.int8_calibration_photos)
    comparison = Int8Comparison(manifest, folder, photos, tensors)
    trials = tuple(comparison.run(name, source, target) for name in _RUNTIMES if installed(name))
    report = Int8Report(
        rejection_reason=_rejection_reason(trials, settings),
        recipe=recipe.name,
        photos=len(photos),
        bytes=target.stat().st_size,
        float_bytes=source.stat().st_size,
        trials=trials,
    )
    manifest = manifest.model_copy(update={"int8": report})
    if report.rejection_reason:
        _LOG.info("int8 (%s) is rejected: %s", recipe.name, report.rejection_reason)
        target.unlink()
        return manifest
    _LOG.info("int8 (%s) is kept", recipe.name)
    return manifest.model_copy(update={"models": manifest.models | {"int8": _describe(target, report)}})


def _quantize_best(
    source: Path, target: Path, manifest: BundleManifest, dataset: Dataset, count: int
) -> Recipe:
    """Writes the file with the recipe that changes the probabilities of validation photos least."""
    calibration = _load_tensors(manifest, dataset, "train", count)
    held_out = (
        _load_tensors(manifest, dataset, "validation", count) if dataset.count("validation") else calibration
    )
    run = partial(predict, tensors=held_out, temperature=manifest.temperature)
    exact = run(open_model("onnx", source, threads=1))
    differences: dict[Recipe, float] = {}
    for recipe in track(RECIPES, "Quantizing to int8"):
        quantize(source, target, calibration, recipe)
        differences[recipe] = float(np.abs(run(open_model("onnx", target, threads=1)) - exact).mean())
        _LOG.info("int8, %s: probabilities differ by %.4f on average", recipe.name, differences[recipe])
    best = min(RECIPES, key=lambda recipe: differences[recipe])
    if best is not RECIPES[-1]:
        quantize(source, target, calibration, best)
    return best


def _load_tensors(manifest: BundleManifest, dataset: Dataset, split: str, count: int) -> NDArray[np.float32]:
    return np.stack([manifest.preprocessing(p.content) for p in select_photos(dataset, split, count)])


def _rejection_reason(trials: Sequence[Int8Trial], settings: ExportSettings) -> str:
    """Why the int8 model is not worth it; empty if it is."""
    reasons = [reason for trial in trials for reason in _faults(trial, settings)]
    best, exact = min(t.milliseconds for t in trials), min(t.float_milliseconds for t in trials)
    if best > _FASTER * exact:
        reasons.append(f"it is not faster: {best:.2f} ms a photo, float {exact:.2f} ms")
    return "; ".join(reasons)


def _faults(trial: Int8Trial, settings: ExportSettings) -> list[str]:
    faults, least = [], settings.int8_min_agreement
    if trial.agreement < least:
        faults.append(f"only {trial.agreement:.1%} of photos get the float model's class, not {least:.1%}")
    if trial.float_accuracy - trial.accuracy > settings.int8_max_accuracy_drop:
        faults.append(f"accuracy falls from {trial.float_accuracy:.1%} to {trial.accuracy:.1%}")
    if trial.known_agreement is not None and trial.known_agreement < least:
        share = f"{trial.known_agreement:.1%}"
        faults.append(f"only {share} of photos are judged known or unknown as by the float model")
    if trial.probe_difference is None:
        faults.append("a probe photo changes its class")
    return [f"{trial.runtime}: {fault}" for fault in faults]


def _describe(path: Path, report: Int8Report) -> ModelFile:
    worst = max(trial.probe_difference or 0.0 for trial in report.trials)
    return ModelFile(
        file=path.name,
        sha256=file_sha256(path),
        bytes=report.bytes,
        max_probability_difference=max(trial.max_difference for trial in report.trials),
        top1_agreement=min(trial.agreement for trial in report.trials),
        photos_compared=report.photos,
        tolerance=round(worst + _MARGIN, 3),
    )
