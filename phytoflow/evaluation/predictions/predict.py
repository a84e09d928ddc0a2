"""Predictions of a bundle for labelled photos, streamed: one batch is in memory at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError, PhotoError, nearest_name
from phytoflow.evaluation.predictions.readable import PhotoPrediction, predict_each
from phytoflow.evaluation.predictions.table import PhotoPredictions, Unreadable
from phytoflow.inference.classifier import Classifier
from phytoflow.system.batched import batched
from phytoflow.system.progress import track

_BATCH = 32
_RENAME = "rename the folders to the classes of the bundle, or evaluate a bundle trained on these classes"

Observer = Callable[[LabelledPhoto, NDArray[np.float64]], None]
"""Called with each readable photo and its probabilities, float64 [C]."""


@dataclass
class _Rows:
    """The columns of the table while photos stream by."""

    paths: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    probabilities: list[NDArray[np.float64]] = field(default_factory=list)
    novelty: list[float] = field(default_factory=list)

    def append(self, photo: LabelledPhoto, label: int, prediction: PhotoPrediction) -> None:
        self.paths.append(photo.path)
        self.groups.append(photo.group)
        self.labels.append(label)
        self.sha256.append(hashlib.sha256(photo.content).hexdigest())
        self.probabilities.append(prediction.probabilities)
        self.novelty += [] if prediction.novelty is None else [prediction.novelty]

    def table(self, classes: tuple[str, ...]) -> PhotoPredictions:
        probabilities = np.stack(self.probabilities)
        return PhotoPredictions(
            paths=tuple(self.paths),
            groups=tuple(self.groups),
            labels=np.asarray(self.labels, np.int64),
            # Rows of a float32 softmax sum to 1 only within 1e-6.
            probabilities=probabilities / probabilities.sum(axis=1, keepdims=True),
            classes=classes,
            sha256=tuple(self.sha256),
            novelty=np.array(self.novelty) if self.novelty else None,
        )


def predict_photos(
    classifier: Classifier,
    photos: Iterable[LabelledPhoto],
    *,
    observe: Observer | None = None,
    total: int | None = None,
) -> tuple[PhotoPredictions, tuple[Unreadable, ...]]:
    """Classifies labelled photos.

    Args:
        classifier: The opened bundle.
        photos: Read once, in order.
        observe: Called with each readable photo and its probabilities.
        total: Number of photos, for the progress bar.

    Returns:
        The predictions, and the photos left out because they cannot be read.

    Raises:
        DataError: A label is not a class of the bundle, or no photo can be read.
    """
    rows, unreadable = _Rows(), list[Unreadable]()
    numbers = {name: number for number, name in enumerate(classifier.classes)}
    known = _check_labels(photos, classifier.classes)
    for batch in batched(track(known, "Evaluating photos", total), _BATCH):
        results = predict_each(classifier, [photo.content for photo in batch])
        for photo, result in zip(batch, results, strict=True):
            if isinstance(result, PhotoError):
                unreadable.append(Unreadable(path=photo.path, reason=result.reason))
                continue
            rows.append(photo, numbers[photo.label], result)
            if observe:
                observe(photo, result.probabilities)
    if not rows.paths:
        what = f"no photo to evaluate on: none of {len(unreadable)} photos can be read"
        raise DataError(what, remedy="give a folder with one sub-folder of photos per class")
    return rows.table(classifier.classes), tuple(unreadable)


def _check_labels(photos: Iterable[LabelledPhoto], classes: Sequence[str]) -> Iterator[LabelledPhoto]:
    """Yields the photos up to the first unknown label; the rest is then read for its labels alone."""
    rest = iter(photos)
    for photo in rest:
        if photo.label not in classes:
            unknown = sorted({p.label for p in chain([photo], rest)} - set(classes))
            raise DataError(_describe_unknown(unknown, classes), remedy=_RENAME)
        yield photo


def _describe_unknown(labels: Sequence[str], classes: Sequence[str]) -> str:
    words = []
    for label in labels:
        near = nearest_name(label, classes)
        words.append(f"{label!r} (nearest: {near!r})" if near else repr(label))
    return f"folders that are no class of the bundle: {', '.join(words)}. Its classes: {', '.join(classes)}"
