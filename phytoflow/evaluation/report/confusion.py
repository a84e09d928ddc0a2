"""The confusion matrix of the report: an HTML table for moderate numbers of classes, and the worst pairs."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.evaluation.metrics.classification import ClassificationMetrics
from phytoflow.evaluation.report.examples import Example

MAX_CLASSES = 60  # with more, the table would be too large to read and too heavy to open
_MAX_PAIRS = 10


@dataclass(frozen=True)
class Cell:
    """A cell of the matrix.

    Attributes:
        count: Number of photos.
        share: Share of the row's photos, 0..1.
        kind: ``right`` on the diagonal, ``wrong`` elsewhere, ``empty`` without photos.
    """

    count: int
    share: float
    kind: str


@dataclass(frozen=True)
class ConfusedPair:
    """A frequent mistake.

    Attributes:
        label: The true class.
        predicted: The class it is mistaken for.
        count: Number of photos.
        of: Number of test photos of the true class.
        photos: A few of the mistakes.
    """

    label: str
    predicted: str
    count: int
    of: int
    photos: list[Example]


def confusion_rows(metrics: ClassificationMetrics) -> list[tuple[str, list[Cell]]]:
    """True class and cells of each row; empty if there are too many classes for a table."""
    if len(metrics.classes) > MAX_CLASSES:
        return []
    rows = zip(metrics.classes, metrics.confusion_matrix, strict=True)
    return [(name, _cells(number, counts)) for number, (name, counts) in enumerate(rows)]


def confused_pairs(
    metrics: ClassificationMetrics, photos: dict[tuple[str, str], list[Example]]
) -> list[ConfusedPair]:
    """The most frequent mistakes, most frequent first.

    Args:
        metrics: The metrics.
        photos: A few mistakes of each pair (true class, predicted class).
    """
    pairs = [
        ConfusedPair(label, predicted, count, sum(counts), photos.get((label, predicted), []))
        for label, counts in zip(metrics.classes, metrics.confusion_matrix, strict=True)
        for predicted, count in zip(metrics.classes, counts, strict=True)
        if count and predicted != label
    ]
    return sorted(pairs, key=lambda pair: -pair.count)[:_MAX_PAIRS]


def _cells(number: int, counts: tuple[int, ...]) -> list[Cell]:
    total = max(sum(counts), 1)
    return [
        Cell(count, count / total, "empty" if not count else "right" if column == number else "wrong")
        for column, count in enumerate(counts)
    ]
