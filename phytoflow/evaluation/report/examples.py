"""The photos worth looking at: the surest mistakes and the least sure answers, with small pictures."""

from __future__ import annotations

import heapq
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.images.decode import decode
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.inference.attribution import explain, overlay
from phytoflow.inference.classifier import Classifier

if TYPE_CHECKING:
    pass

Explainer = Callable[[Classifier, NDArray[np.float32], int], NDArray[np.float32]]
_SIDE = 240  # pixels of a small picture's longer side
_KEPT = 12


@dataclass(frozen=True)
class Example:
    """One photo and what the model said of it.

    Attributes:
        path: Where the photo came from.
        label: Its true class.
        predicted: The class given.
        confidence: The probability of that class.
        jpeg: A small picture.
        heat: Its middle, with what spoke for the class given in red; empty where not asked for.
    """

    path: str
    label: str
    predicted: str
    confidence: float
    jpeg: bytes
    heat: bytes = b""


class Examples:
    """Watches photos go by and keeps the few that a reader should see; memory does not grow with them."""

    def __init__(self, classes: tuple[str, ...], kept: int = _KEPT) -> None:
        self._classes = classes
        self._kept = kept
        self._surest_mistakes: list[tuple[float, int, Example]] = []
        self._least_sure: list[tuple[float, int, Example]] = []
        self._seen = 0

    def __call__(self, photo: LabelledPhoto, probabilities: NDArray[np.float64]) -> None:
        """Looks at one photo and its probabilities, float64 [C]."""
        self._seen += 1
        confidence, predicted = float(probabilities.max()), self._classes[int(probabilities.argmax())]
        if predicted != photo.label:
            self._offer(self._surest_mistakes, confidence, photo, predicted, confidence)
        self._offer(self._least_sure, -confidence, photo, predicted, confidence)

    @property
    def surest_mistakes(self) -> list[Example]:
        """Wrong answers, the surest first."""
        return [example for *_, example in sorted(self._surest_mistakes, reverse=True)]

    @property
    def least_sure(self) -> list[Example]:
        """Answers of the lowest confidence, right or wrong, the least sure first."""
        return [example for *_, example in sorted(self._least_sure, reverse=True)]

    def _offer(
        self,
        heap: list[tuple[float, int, Example]],
        rank: float,
        photo: LabelledPhoto,
        predicted: str,
        confidence: float,
    ) -> None:
        if len(heap) == self._kept and rank <= heap[0][0]:
            return  # before the picture is made: it is what costs
        example = Example(photo.path, photo.label, predicted, confidence, thumbnail(photo.content))
        push = heapq.heappush if len(heap) < self._kept else heapq.heappushpop
        push(heap, (rank, -self._seen, example))


def with_heat(example: Example, classifier: Classifier, explainer: Explainer = explain) -> Example:
    """The example with where its answer comes from; told from its small picture, which is large enough."""
    pixels = classifier.bundle.manifest.preprocessing.decode(example.jpeg)
    tensor = classifier.bundle.manifest.preprocessing.normalise(pixels)
    label = classifier.classes.index(example.predicted)
    return replace(example, heat=overlay(pixels, explainer(classifier, tensor, label)))


def thumbnail(content: bytes) -> bytes:
    """A small JPEG of an encoded photo; raises PhotoError."""
    image = decode(content, size_hint=_SIDE)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


@dataclass(frozen=True)
class Shown:
    """Photos that a reader should see."""

    surest_mistakes: list[Example]
    least_sure: list[Example]
