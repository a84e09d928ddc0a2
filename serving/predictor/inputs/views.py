"""A request's photos as the views that are run; with ``tta`` several a photo, each queued by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from phytoflow.protocol.constants import VIEWS, Augmentation
from serving.predictor.inputs.types import Photo


@dataclass(frozen=True)
class View:
    """One way to see a photo.

    Attributes:
        photo: The photo.
        augmentation: Which views there are.
        at: Which of them this is.
    """

    photo: Photo
    augmentation: Augmentation = "none"
    at: int = 0


def views_of(photos: Sequence[Photo], augmentation: Augmentation) -> Sequence[Photo | View]:
    """All views of all photos, those of one photo together."""
    if augmentation == "none":
        return photos
    return [View(photo, augmentation, at) for photo in photos for at in range(VIEWS[augmentation])]
