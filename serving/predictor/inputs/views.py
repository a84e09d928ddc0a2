"""Expands photos into the views that test-time augmentation runs; each view is queued by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phytoflow.protocol.constants import VIEWS, Augmentation
from serving.predictor.inputs.types import Photo


@dataclass(frozen=True)
class View:
    """One view of a photo.

    Attributes:
        photo: The photo.
        augmentation: Augmentation that the view belongs to.
        index: Number of the view within the augmentation, from 0.
    """

    photo: Photo
    augmentation: Augmentation = "none"
    index: int = 0


def expand_views(photos: Sequence[Photo], augmentation: Augmentation) -> Sequence[Photo | View]:
    """Returns all views of all photos; the views of one photo are adjacent."""
    if augmentation == "none":
        return photos
    return [View(photo, augmentation, index) for photo in photos for index in range(VIEWS[augmentation])]
