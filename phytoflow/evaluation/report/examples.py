"""Photos that a reader should see: confident mistakes, frequent mistakes and uncertain answers."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.thumbnail import thumbnail

_SIDE = 240  # pixels of a thumbnail's longer side
_SIZE = 12  # photos of each kind
_PER_CONFUSION = 3  # photos of each pair of classes
_MAX_CONFUSIONS = 200  # pairs of classes with photos at a time; bounds the memory at about 5 MB


@dataclass(frozen=True)
class Example:
    """A photo and its prediction.

    Attributes:
        path: Path of the photo.
        label: Its true class.
        predicted: The class it was given.
        confidence: The probability of that class, 0..1.
        jpeg: A thumbnail.
        heatmap: The photo's middle square, with what supported the predicted class in red; empty without one.
    """

    path: str
    label: str
    predicted: str
    confidence: float
    jpeg: bytes
    heatmap: bytes = b""

    @property
    def correct(self) -> bool:
        """Whether the predicted class is the true one."""
        return self.predicted == self.label


@dataclass(frozen=True)
class ReportExamples:
    """The photos that the report shows.

    Attributes:
        mistakes: Wrong answers, the most confident first.
        uncertain: Answers of the lowest confidence, right or wrong, the least confident first.
        confusions: Photos of a few mistakes of each pair (true class, predicted class).
    """

    mistakes: list[Example]
    uncertain: list[Example]
    confusions: dict[tuple[str, str], list[Example]]


class ExampleCollector:
    """Observes photos as they stream by and keeps a bounded number of examples.

    Args:
        classes: Class names in the order of the probabilities.
        size: Number of mistakes, and of uncertain answers, that are kept.
    """

    def __init__(self, classes: tuple[str, ...], size: int = _SIZE) -> None:
        self._classes = classes
        self._size = size
        self._mistakes: list[tuple[float, int, Example]] = []
        self._uncertain: list[tuple[float, int, Example]] = []
        self._confusions: dict[tuple[str, str], list[Example]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._observed = 0

    def observe(self, photo: LabelledPhoto, probabilities: NDArray[np.float64]) -> None:
        """Takes note of one photo and its probabilities, float64 [C]."""
        self._observed += 1
        predicted = self._classes[int(probabilities.argmax())]
        candidate = _Candidate(photo, predicted, float(probabilities.max()))
        if predicted != photo.label:
            self._offer(self._mistakes, candidate.confidence, candidate)
            self._add_confusion(candidate)
        self._offer(self._uncertain, -candidate.confidence, candidate)

    def examples(self) -> ReportExamples:
        """The examples kept so far."""
        mistakes, uncertain = (
            [example for *_, example in sorted(heap, reverse=True)]
            for heap in (self._mistakes, self._uncertain)
        )
        return ReportExamples(mistakes, uncertain, dict(self._confusions))

    def _offer(self, heap: list[tuple[float, int, Example]], rank: float, candidate: _Candidate) -> None:
        if len(heap) == self._size and rank <= heap[0][0]:
            return  # before the thumbnail is made, which is what costs time
        push = heapq.heappush if len(heap) < self._size else heapq.heappushpop
        push(heap, (rank, -self._observed, candidate.example()))

    def _add_confusion(self, candidate: _Candidate) -> None:
        pair = (candidate.photo.label, candidate.predicted)
        self._counts[pair] += 1
        photos = self._confusions.setdefault(pair, [])
        if len(photos) < _PER_CONFUSION:
            photos.append(candidate.example())
        if len(self._confusions) > _MAX_CONFUSIONS:
            # A frequent pair that goes comes back with its next mistake, and stays once others are rarer.
            del self._confusions[min(self._confusions, key=lambda other: self._counts[other])]


@dataclass(frozen=True)
class _Candidate:
    photo: LabelledPhoto
    predicted: str
    confidence: float

    def example(self) -> Example:
        jpeg = thumbnail(self.photo.content, _SIDE)
        return Example(self.photo.path, self.photo.label, self.predicted, self.confidence, jpeg)
