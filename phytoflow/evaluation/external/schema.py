"""Metrics on an external test set, as ``metrics.json`` holds them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MetricDrop(_Part):
    """A metric on the external test set compared with the bundle's own test photos of the same classes.

    Attributes:
        own: The metric on its own test photos, 0..1.
        lost: By how much it is lower on the external ones; negative if it is higher there.
        interval: Confidence interval of ``lost``.
    """

    own: float
    lost: float
    interval: Interval

    @property
    def significant(self) -> bool:
        """Whether the metric is lower by more than chance."""
        return self.interval[0] > 0

    @property
    def significant_gain(self) -> bool:
        """Whether the metric is higher by more than chance."""
        return self.interval[1] < 0


class ExternalClassMetrics(_Part):
    """One class.

    Attributes:
        photos: Number of external photos.
        recall: Recall on them.
        own_recall: Recall on the bundle's own test photos; None if none shows this class.
    """

    photos: int
    recall: float
    own_recall: float | None


class ExternalMetrics(_Part):
    """Metrics on photos of other places, cameras or seasons. Shares are in 0..1.

    Attributes:
        name: Name of the external test set: the last part of its address.
        photos: Number of photos.
        groups: Number of separate things they show.
        trained_on: How many of them the bundle was trained on; None if the bundle does not record that.
        accuracy: Accuracy.
        macro_f1: Mean F1 over the classes that have photos there.
        intervals: Confidence intervals of both.
        drops: Both compared with the own test photos; empty if none of those shows these classes.
        per_class: The classes that have photos there.
        folders: The class assigned to each folder.
        left_out: Folders that show none of the classes.
        unknown_rate: Share called unknown; None if the bundle has no OOD statistics.
    """

    name: str
    photos: int
    groups: int
    trained_on: int | None
    accuracy: float
    macro_f1: float
    intervals: dict[str, Interval]
    drops: dict[str, MetricDrop]
    per_class: dict[str, ExternalClassMetrics]
    folders: dict[str, str]
    left_out: tuple[str, ...]
    unknown_rate: float | None
