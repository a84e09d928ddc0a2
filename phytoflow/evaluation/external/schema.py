"""Figures of a model on a second collection of photos, as ``metrics.json`` holds them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Drop(_Part):
    """A figure there against the same on the model's own test photos, of the same classes.

    Attributes:
        own: On its own test photos, 0..1.
        lost: What is less there; negative where the field photos are easier.
        interval: Of ``lost``.
    """

    own: float
    lost: float
    interval: Interval

    @property
    def clear(self) -> bool:
        """Whether more than chance is lost."""
        return self.interval[0] > 0


class FieldClass(_Part):
    """One class: photos there, the share of them found, and that of its own test photos (None: no photo)."""

    photos: int
    found: float
    own: float | None


class FieldFigures(_Part):
    """What the model does on photos of other places, cameras or seasons; shares in 0..1.

    Attributes:
        name: Of the collection: the last part of its address.
        photos: Asked.
        groups: Separate things among them.
        trained_on: Of these, photos that the bundle was trained on; None if it does not say.
        accuracy: Share named rightly.
        macro_f1: Mean F1 over the classes that have photos there.
        intervals: Of both.
        drops: Of both; empty where the model's own test has no photo of these classes.
        per_class: Of each class that has photos there.
        folders: The class of each folder asked.
        left_out: Folders that show none of the classes.
        refused: Share taken for strangers; None where the bundle cannot tell.
    """

    name: str
    photos: int
    groups: int
    trained_on: int | None
    accuracy: float
    macro_f1: float
    intervals: dict[str, Interval]
    drops: dict[str, Drop]
    per_class: dict[str, FieldClass]
    folders: dict[str, str]
    left_out: tuple[str, ...]
    refused: float | None
