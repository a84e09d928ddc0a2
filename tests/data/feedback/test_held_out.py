"""Test photos are recognised by digest and by look."""

from __future__ import annotations

from phytoflow.data.feedback.held_out import HeldOutPhotos

PHOTOS = HeldOutPhotos.of([("a" * 64, "ff00ff00ff00ff00"), ("b" * 64, "0000000000000001")])


def test_close_hashes_resemble() -> None:
    assert PHOTOS.digests == {"a" * 64, "b" * 64}
    assert PHOTOS.resemble("ff00ff00ff00ff00", 0)
    assert PHOTOS.resemble("ff00ff00ff00ff03", 2) and not PHOTOS.resemble("ff00ff00ff00ff03", 1)
    assert not PHOTOS.resemble("0f0f0f0f0f0f0f0f", 6)


def test_no_photos_resemble_nothing() -> None:
    assert not HeldOutPhotos.of([]).resemble("0" * 16, 32)
