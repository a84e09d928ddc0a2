"""Labelled photos through a bundle, streamed: a batch in memory at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError, PhotoError, nearest_name
from phytoflow.evaluation.predictions.table import PhotoPredictions, Unreadable
from phytoflow.inference.classifier import Classifier
from phytoflow.system.progress import track

_BATCH = 32
Watcher = Callable[[LabelledPhoto, NDArray[np.float64]], None]


@dataclass
class _Rows:
    paths: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    sha256: list[str] = field(default_factory=list)
    probabilities: list[NDArray[np.float64]] = field(default_factory=list)
    novelty: list[float] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)


def predict_photos(
    classifier: Classifier,
    photos: Iterable[LabelledPhoto],
    *,
    watch: Watcher | None = None,
    total: int | None = None,
) -> tuple[PhotoPredictions, tuple[Unreadable, ...]]:
    """Asks a bundle for every photo.

    Args:
        classifier: The opened bundle.
        photos: Read once, in order.
        watch: Called with each photo and its probabilities, float64 [C].
        total: Number of photos, for the progress bar.

    Returns:
        The predictions, and the photos left out as they cannot be read.

    Raises:
        DataError: A label is no class of the bundle, or not one photo can be read.
    """
    rows, numbers = _Rows(), {name: number for number, name in enumerate(classifier.classes)}
    known = _known(photos, classifier.classes)
    for batch in _batches(track(known, "Evaluating photos", total)):
        for photo, answer in zip(batch, _answers(classifier, batch), strict=True):
            if isinstance(answer, PhotoError):
                rows.unreadable.append(Unreadable(path=photo.path, reason=answer.reason))
                continue
            _keep(rows, photo, numbers[photo.label], answer)
            if watch:
                watch(photo, answer.probabilities)
    if not rows.paths:
        what = f"no photo to evaluate on: {len(rows.unreadable)} given, none can be read"
        raise DataError(what, remedy="give a folder with one folder of photos a class")
    return _table(rows, classifier.classes), tuple(rows.unreadable)


class _Answer(NamedTuple):
    probabilities: NDArray[np.float64]
    novelty: float | None


def _answers(classifier: Classifier, batch: Sequence[LabelledPhoto]) -> list[_Answer | PhotoError]:
    try:
        found = classifier.predict([photo.content for photo in batch])
        novelty = [None] * len(batch) if found.novelty is None else found.novelty.tolist()
        return [_Answer(*row) for row in zip(found.probabilities.astype(np.float64), novelty, strict=True)]
    except PhotoError as error:
        if len(batch) == 1:
            return [error]
        return [answer for photo in batch for answer in _answers(classifier, [photo])]


def _keep(rows: _Rows, photo: LabelledPhoto, label: int, answer: _Answer) -> None:
    rows.paths.append(photo.path)
    rows.groups.append(photo.group)
    rows.labels.append(label)
    rows.sha256.append(hashlib.sha256(photo.content).hexdigest())
    rows.probabilities.append(answer.probabilities)
    rows.novelty += [] if answer.novelty is None else [answer.novelty]


def _table(rows: _Rows, classes: tuple[str, ...]) -> PhotoPredictions:
    probabilities = np.stack(rows.probabilities)
    return PhotoPredictions(
        tuple(rows.paths),
        tuple(rows.groups),
        np.asarray(rows.labels, np.int64),
        probabilities / probabilities.sum(axis=1, keepdims=True),  # float32 softmax sums to 1 within 1e-6
        classes,
        tuple(rows.sha256),
        np.array(rows.novelty) if rows.novelty else None,
    )


def _batches(photos: Iterator[LabelledPhoto]) -> Iterator[list[LabelledPhoto]]:
    while batch := list(islice(photos, _BATCH)):
        yield batch


def _known(photos: Iterable[LabelledPhoto], classes: Sequence[str]) -> Iterator[LabelledPhoto]:
    """The photos, up to the first label that is no class; the rest is then read for its labels alone."""
    rest = iter(photos)
    for photo in rest:
        if photo.label not in classes:
            unknown = sorted({p.label for p in chain([photo], rest)} - set(classes))
            raise DataError(_unknown_labels(unknown, classes), remedy=_RENAME)
        yield photo


_RENAME = "rename the folders to the classes of the bundle, or evaluate a bundle trained on these classes"


def _unknown_labels(unknown: Sequence[str], classes: Sequence[str]) -> str:
    nearest = {label: nearest_name(label, classes) for label in unknown}
    words = [f"{label!r} (nearest: {name!r})" if name else repr(label) for label, name in nearest.items()]
    return f"folders that are no class of the bundle: {', '.join(words)}. Its classes: {', '.join(classes)}"
