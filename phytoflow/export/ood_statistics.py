"""Fits a bundle's OOD statistics on the exported model, as it will be served."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import ModelFile, ModelFormat
from phytoflow.bundle.reports import OodDetection, OodScoreMetrics
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.export.photo_selection import stratified_indices
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.runtimes.base import Runtime
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.ood.outputs import ModelOutputs
from phytoflow.ood.select import OodChoice, select_score
from phytoflow.ood.synthetic_outliers import Pixels, synthetic_outliers
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.batches import batched
from phytoflow.system.cpu import cpu_count
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

FILE = "ood_statistics.npz"
_BATCH = 8
_MOST_HELD_OUT = 1000  # validation photos: enough to set a quantile of 97%
_OUTLIERS = 100  # synthetic
_FEWEST_HELD_OUT = 10  # with fewer photos the threshold would be the score of a single one
_SEED = 0
_LOG = logging.getLogger(__name__)
_Photo = bytes | Pixels


def fit_ood_statistics(
    folder: Path,
    models: dict[ModelFormat, ModelFile],
    preprocessing: Preprocessing,
    dataset: Dataset,
    settings: ExportSettings,
    trained_on: Collection[str],
) -> OodDetection | None:
    """Writes the feature statistics of known photos into a bundle's folder.

    The statistics are fitted on training photos. The score is selected on validation photos and synthetic
    outliers. The threshold is set on validation photos, or on all if the network was trained on these too.

    Args:
        folder: Folder of the bundle.
        models: Its exported files; ONNX is used if there is one.
        preprocessing: From photos to the model's input.
        dataset: The photos.
        settings: How many photos, and the false-positive rate.
        trained_on: Splits that the network was trained on; for small sets validation is among them.

    Returns:
        The manifest's part; None if the settings turn it off, or validation photos are too few.
    """
    if not settings.ood_reference_photos or dataset.count("validation") < _FEWEST_HELD_OUT:
        return None
    model = open_exported(folder, models)
    fitted = run_split(model, dataset, "train", preprocessing, settings.ood_reference_photos)
    held_out = run_split(model, dataset, "validation", preprocessing, _MOST_HELD_OUT)
    outliers = _run_outliers(model, preprocessing)
    choice = select_score(
        fitted,
        held_out,
        outliers,
        settings.ood_false_positive_rate,
        trained_on="validation" in trained_on,
    )
    choice.statistics.save(folder / FILE)
    return _describe(choice, folder)


def _describe(choice: OodChoice, folder: Path) -> OodDetection:
    scores = {name: OodScoreMetrics(near=near, far=far) for name, (near, far) in choice.aurocs.items()}
    best = scores[choice.method]
    near = "not measurable" if best.near is None else f"{best.near:.3f}"
    _LOG.info("OOD score %s: near-OOD AUROC %s, far-OOD AUROC %.3f", choice.method, near, best.far)
    return OodDetection(
        file=FILE,
        sha256=file_sha256(folder / FILE),
        method=choice.method,
        typical=choice.typical,
        threshold=choice.threshold,
        known_photos=choice.known_photos,
        false_positive_rate=choice.false_positive_rate,
        scores=scores,
    )


def open_exported(folder: Path, models: dict[ModelFormat, ModelFile]) -> Runtime:
    """Opens the exported model, ONNX if there is one."""
    runtime: Literal["torchscript", "onnx"] = "onnx" if "onnx" in models else "torchscript"
    return open_model(runtime, folder / models[runtime].file, threads=1, concurrency=cpu_count())


def run_split(
    model: Runtime,
    dataset: Dataset,
    split: str,
    preprocessing: Preprocessing,
    most: int,
    task: str = "OOD statistics",
) -> ModelOutputs:
    """Runs a model on up to ``most`` photos of a split, stratified; ``task`` is shown with the progress."""
    rows = stratified_indices(dataset.labels(split), most)
    selected, groups = set(rows), list[str]()

    def contents() -> Iterator[bytes]:
        for number, photo in enumerate(dataset.photos(split)):
            if number in selected:
                groups.append(photo.group)
                yield photo.content

    shown = track(contents(), f"{task}: {split} photos", total=len(rows))
    logits, features = _run(model, preprocessing, shown)
    labels = np.asarray(dataset.labels(split), np.int64)[rows]
    return ModelOutputs(logits, features, labels, np.array(groups, np.str_))


def _run_outliers(model: Runtime, preprocessing: Preprocessing) -> ModelOutputs:
    outliers = synthetic_outliers(_OUTLIERS, preprocessing.size, _SEED)
    logits, features = _run(model, preprocessing, outliers)
    return ModelOutputs(logits, features, np.full(_OUTLIERS, -1), np.full(_OUTLIERS, ""))


def _run(
    model: Runtime, preprocessing: Preprocessing, photos: Iterable[_Photo]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [N, C] and features [N, D] of encoded photos or pixels."""

    def run_batch(batch: Sequence[_Photo]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        pixels = [preprocessing.decode(p) if isinstance(p, bytes) else p for p in batch]
        outputs = model.run(preprocessing.normalise(np.stack(pixels)))
        assert outputs.features is not None
        return outputs.logits, outputs.features

    parts = thread_map(run_batch, batched(photos, _BATCH), cpu_count())
    logits, features = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(features)
