"""Precision, recall, F1 and accuracy from per-class counts, of a test set or of its bootstrap resamples.

Counts are additive over photos, so that one matrix product gives those of all resamples. Three counts a class
are enough; whole confusion matrices of the resamples would need C times the memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

HEADLINE_METRICS = ("accuracy", "macro_precision", "macro_recall", "macro_f1")


@dataclass(frozen=True)
class ClassScores:
    """Scores of one or many test sets, float64 [..., C] and [...].

    Attributes:
        precision: [..., C], 0 for a class that was never predicted.
        recall: [..., C], 0 for a class without photos.
        f1: [..., C].
        support: [..., C], number of photos of each class.
        accuracy: [...].
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def macro(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the classes with photos: [..., C] to [...]."""
        present = self.support > 0
        return (values * present).sum(-1) / present.sum(-1)

    def headline_metrics(self) -> dict[str, NDArray[np.float64]]:
        """The metrics of ``HEADLINE_METRICS`` by name, [...] each."""
        macros = (self.macro(self.precision), self.macro(self.recall), self.macro(self.f1))
        return dict(zip(HEADLINE_METRICS, (self.accuracy, *macros), strict=True))


def class_counts(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> csr_matrix:
    """Each photo's contribution to the counts, sparse float64 [N, 3 * C].

    The columns are photos predicted correctly, photos of each class, and photos predicted as each class.

    Args:
        labels: int64 [N].
        predicted: int64 [N].
        classes: Number of classes C.
    """
    correct = (labels == predicted).astype(np.float64)
    everyone = np.ones(len(labels))
    parts = [(correct, labels), (everyone, labels), (everyone, predicted)]
    return hstack([_one_hot(values, columns, classes) for values, columns in parts], format="csr")


def score_counts(counts: NDArray[np.float64]) -> ClassScores:
    """Scores from sums of ``class_counts``, float64 [..., 3 * C]."""
    correct, support, predicted = np.split(counts, 3, axis=-1)
    return ClassScores(
        precision=_ratio(correct, predicted),
        recall=_ratio(correct, support),
        f1=_ratio(2 * correct, support + predicted),
        support=support,
        accuracy=correct.sum(-1) / support.sum(-1),
    )


def _one_hot(values: NDArray[np.float64], columns: NDArray[np.int64], size: int) -> csr_matrix:
    return csr_matrix((values, (np.arange(len(values)), columns)), shape=(len(values), size))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)
