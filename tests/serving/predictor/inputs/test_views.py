"""Photos and their views."""

from __future__ import annotations

from serving.predictor.inputs.views import View, expand_views


def test_without_augmentation_photos_stay_photos() -> None:
    photos = [b"a", b"b"]
    assert expand_views(photos, "none") is photos


def test_the_views_of_a_photo_are_adjacent() -> None:
    views = expand_views([b"a", b"b"], "flips")
    assert views == [View(photo, "flips", index) for photo in (b"a", b"b") for index in range(4)]
    assert len(expand_views([b"a"], "crops")) == 10
