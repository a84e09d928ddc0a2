"""What is known, measured on the exported model, so that a predictor can tell what is not."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import ModelFile, ModelFormat
from phytoflow.bundle.reports import OodDetection, OodScoreMetrics
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.export.photo_selection import spread
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.runtimes.base import Runtime
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.ood.outputs import ModelOutputs
from phytoflow.ood.select import OodChoice, select_score
from phytoflow.ood.synthetic_outliers import Pixels, synthetic_outliers
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.cpu import cpu_count
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

FILE = "ood_statistics.npz"
_BATCH = 8
_MOST_HELD_OUT = 1000
_MADE_UP = 100
_LEAST_HELD_OUT = 10
_SEED = 0
_LOG = logging.getLogger(__name__)


def fit_ood_statistics(
    folder: Path,
    models: dict[ModelFormat, ModelFile],
    preprocessing: Preprocessing,
    dataset: Dataset,
    settings: ExportSettings,
    trained_on: Collection[str],
) -> OodDetection | None:
    """Writes the statistics of known photos into a bundle's folder.

    Training photos describe what is known. The score is chosen on validation photos and made-up strangers;
    its threshold is set on validation photos, or on all where the model was trained on these too. All goes
    through an exported form as it is served.

    Args:
        folder: Of the bundle.
        models: Its forms; ONNX is asked where it is there.
        preprocessing: From photos to the model's input.
        dataset: The photos.
        settings: How many photos, and how many of them may be refused.
        trained_on: Splits that the model has seen; validation is among them where a set is small.

    Returns:
        What the manifest says of it; None where it is not wanted, or validation photos are too few.
    """
    if not settings.ood_reference_photos or dataset.count("validation") < _LEAST_HELD_OUT:
        return None
    form: Literal["torchscript", "onnx"] = "onnx" if "onnx" in models else "torchscript"
    model = open_model(form, folder / models[form].file, threads=1, concurrency=cpu_count())
    fitted = _answers(model, dataset, "train", preprocessing, settings.ood_reference_photos)
    held_out = _answers(model, dataset, "validation", preprocessing, _MOST_HELD_OUT)
    strangers = _strangers(model, preprocessing)
    seen = "validation" in trained_on
    choice = select_score(fitted, held_out, strangers, settings.ood_false_positive_rate, trained_on=seen)
    choice.statistics.save(folder / FILE)
    return _said(choice, folder)


def _said(choice: OodChoice, folder: Path) -> OodDetection:
    figures = {m: OodScoreMetrics(near=near, far=far) for m, (near, far) in choice.aurocs.items()}
    best = figures[choice.method]
    near = "not to be had" if best.near is None else f"{best.near:.3f}"
    _LOG.info("strangers are told by %s: AUROC near %s, far %.3f", choice.method, near, best.far)
    return OodDetection(
        file=FILE,
        sha256=file_sha256(folder / FILE),
        method=choice.method,
        typical=choice.typical,
        threshold=choice.threshold,
        known_photos=choice.known_photos,
        false_positive_rate=choice.false_positive_rate,
        scores=figures,
    )


def _answers(
    model: Runtime, dataset: Dataset, split: str, preprocessing: Preprocessing, most: int
) -> ModelOutputs:
    rows = spread(dataset.labels(split), most)
    wanted, groups = set(rows), list[str]()

    def contents() -> Iterator[bytes]:
        for number, photo in enumerate(dataset.photos(split)):
            if number in wanted:
                groups.append(photo.group)
                yield photo.content

    shown = track(contents(), f"Open set: {split} photos", total=len(rows))
    logits, features = _asked(model, preprocessing, shown)
    return ModelOutputs(
        logits, features, np.asarray(dataset.labels(split), np.int64)[rows], np.array(groups, np.str_)
    )


def _strangers(model: Runtime, preprocessing: Preprocessing) -> ModelOutputs:
    logits, features = _asked(model, preprocessing, synthetic_outliers(_MADE_UP, preprocessing.size, _SEED))
    return ModelOutputs(logits, features, np.full(_MADE_UP, -1), np.full(_MADE_UP, ""))


def _asked(
    model: Runtime, preprocessing: Preprocessing, photos: Iterable[bytes | Pixels]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [N, C] and features [N, D]."""

    def run(batch: Sequence[bytes | Pixels]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        pixels = [preprocessing.decode(p) if isinstance(p, bytes) else p for p in batch]
        found = model.run(preprocessing.normalise(np.stack(pixels)))
        assert found.features is not None
        return found.logits, found.features

    parts = thread_map(run, _batches(photos), cpu_count())
    logits, features = zip(*parts, strict=True)
    return np.concatenate(logits), np.concatenate(features)


def _batches(photos: Iterable[bytes | Pixels]) -> Iterator[list[bytes | Pixels]]:
    rest = iter(photos)
    while batch := list(islice(rest, _BATCH)):
        yield batch
