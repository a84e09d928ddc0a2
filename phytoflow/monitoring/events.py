"""Events that are bet on: "a watched value lies beyond a quantile of the reference" or "the class is c"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.monitoring.observations import FEATURE_MEASURES, WATCHED, Observations
from phytoflow.monitoring.reference import Reference

TAILS = (0.02, 0.1, 0.3)
"""Shares of the reference beyond quantiles: rare events notice a few odd photos, common ones small shifts."""
COMPONENT_TAILS = (0.2,)
"""The same for a component: there are many, and what moves one of them moves most photos a little."""
_MOST_CLASSES = 50  # the most frequent of the reference: bets on rare ones would never pay
_FAMILIES = {"class": "class", "confidence": "answer", "novelty": "answer"} | dict.fromkeys(
    FEATURE_MEASURES, "features"
)


@dataclass(frozen=True)
class Events:
    """B events.

    Attributes:
        names: What each event is about: a name of ``WATCHED``, or ``class``.
        column: int64 [B], column of the watched values; -1: the predicted class.
        upper: bool [B], whether the event is a value above the threshold (below it otherwise), or for
            classes that the class is the one named (is not).
        threshold: float64 [B], threshold, or index of the class.
        share: float64 [B], share of the reference photos.
    """

    names: tuple[str, ...]
    column: NDArray[np.int64]
    upper: NDArray[np.bool_]
    threshold: NDArray[np.float64]
    share: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def weights(self) -> NDArray[np.float64]:
        """Importance of each, float64 [B], sum 1: class, answer, features, and components have the same."""
        families = [_FAMILIES.get(name, "component") for name in self.names]
        counts = {family: families.count(family) for family in families}
        return np.array([1 / counts[family] / len(counts) for family in families])

    def values(self, photos: Observations) -> NDArray[np.float64]:
        """The value that each event is about, float64 [N, B]; nan if a photo lacks it."""
        return np.column_stack([photos.watched, photos.label]).astype(np.float64)[:, self.column]

    def happened(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which events happened, bool [N, B], by their values."""
        happened = np.where(self.upper, values > self.threshold, values < self.threshold)
        of_class = self.column == -1
        happened[:, of_class] = (values == self.threshold)[:, of_class] == self.upper[of_class]
        return happened

    def select(self, rows: NDArray[np.bool_]) -> Events:
        """Some of the events."""
        names = tuple(name for name, row in zip(self.names, rows, strict=True) if row)
        return Events(names, self.column[rows], self.upper[rows], self.threshold[rows], self.share[rows])


def find_events(reference: Reference) -> Events:
    """The events of a reference; none about a value that some of its photos lack."""
    events = [*_quantile_events(reference), *_class_events(reference)]
    return Events(
        names=tuple(name for name, *_ in events),
        column=np.array([column for _, column, *_ in events], np.int64),
        upper=np.array([upper for _, _, upper, *_ in events], bool),
        threshold=np.array([threshold for *_, threshold, _ in events], np.float64),
        share=np.array([share for *_, share in events], np.float64),
    )


_Event = tuple[str, int, bool, float, float]  # name, column, upper, threshold, share of the reference


def _quantile_events(reference: Reference) -> Iterator[_Event]:
    for column, (name, watched) in enumerate(zip(WATCHED, reference.observations.watched.T, strict=True)):
        values = np.sort(watched.astype(np.float64))
        if not np.isfinite(values).all():
            continue
        count = len(values)
        for tail in TAILS if name in _FAMILIES else COMPONENT_TAILS:
            beyond = max(round(tail * count), 1)
            yield name, column, True, float(values[count - beyond - 1]), beyond / count
            yield name, column, False, float(values[beyond]), beyond / count


def _class_events(reference: Reference) -> Iterator[_Event]:
    counts = np.bincount(reference.observations.label, minlength=len(reference.classes))
    shares = counts / counts.sum()
    for index in np.argsort(-counts, kind="stable")[:_MOST_CLASSES]:
        yield "class", -1, True, float(index), float(shares[index])
        yield "class", -1, False, float(index), float(1 - shares[index])
