"""Photos of one moment, or of one look, get one group."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phytoflow.data.feedback.provenance import CollectedPhoto
from phytoflow.data.feedback.sessions import write_groups
from phytoflow.data.settings import DataSettings
from tests.data.feedback.test_provenance import PHOTO
from tests.support.make_bundle import encode, pictures

PICTURES = [photo.content for photo in pictures(6)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rust").mkdir()
    return tmp_path


def photo(folder: Path, number: int, user: str, time: str, content: bytes = b"") -> CollectedPhoto:
    path = f"rust/feedback-{number}.png"
    (folder / path).write_bytes(content or PICTURES[number])
    created = f"2026-05-04T{time}+00:00"
    return replace(PHOTO, path=path, prediction_id=str(number), user=user, created=created)


def groups(folder: Path, *photos: CollectedPhoto) -> dict[str, str]:
    write_groups(folder, photos, DataSettings())
    with (folder / "groups.csv").open() as lines:
        return {row["path"]: row["group"] for row in csv.DictReader(lines)}


def test_photos_that_a_user_sends_within_a_minute_stay_together(folder: Path) -> None:
    named = groups(
        folder,
        photo(folder, 0, "anna", "10:30:50"),
        photo(folder, 1, "ben", "10:30:55"),
        photo(folder, 2, "anna", "10:31:20"),  # another minute of the clock, the same moment
        photo(folder, 3, "anna", "10:40:00"),
    )
    assert list(named.values()) == ["feedback-0", "feedback-1", "feedback-0", "feedback-3"]


def test_photos_that_look_alike_stay_together(folder: Path) -> None:
    from phytoflow.data.images.decode import decode

    brighter = np.asarray(decode(PICTURES[0])).astype(np.float32) * 0.9
    named = groups(
        folder,
        photo(folder, 0, "anna", "10:00:00"),
        photo(folder, 1, "ben", "11:00:00", encode(brighter.astype(np.uint8))),
        photo(folder, 2, "ben", "12:00:00"),
    )
    assert list(named.values()) == ["feedback-0", "feedback-0", "feedback-2"]


def test_rows_about_other_photos_stay(folder: Path) -> None:
    (folder / "groups.csv").write_text("path,group\nrust/own.jpg,plant 7\nrust/feedback-9.jpg,gone\n")
    named = groups(folder, photo(folder, 0, "anna", "10:00:00"))
    assert named == {"rust/own.jpg": "plant 7", "rust/feedback-0.png": "feedback-0"}


def test_no_photos_make_an_empty_table(folder: Path) -> None:
    assert groups(folder) == {}
