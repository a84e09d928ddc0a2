"""Photos are stored by policy and removed in time."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from serving.gateway.log.photo_store import PhotoStore
from serving.gateway.settings import PhotoSettings


def store(folder: Path, stored: list[str], **settings: object) -> PhotoStore:
    return PhotoStore(PhotoSettings.model_validate(settings), str(folder), stored.append)


@pytest.mark.parametrize(
    ("policy", "known", "kept", "held"),
    [
        ("none", False, False, False),
        ("all", True, True, False),
        ("unknown", True, False, False),
        ("unknown", False, True, False),
        ("unknown", None, False, False),
        ("feedback", True, False, True),
    ],
)
async def test_policies(
    tmp_path: Path, photo: bytes, policy: str, known: bool | None, kept: bool, held: bool
) -> None:
    stored: list[str] = []
    photos = store(tmp_path, stored, policy=policy)
    photos.add("ab" * 32, photo, known=known)
    assert (await photos.read("ab" * 32) is not None) == (kept or held)
    assert (stored == ["ab" * 32]) == kept


async def test_a_held_photo_is_kept_once_it_is_commented_on(tmp_path: Path, photo: bytes) -> None:
    stored: list[str] = []
    photos, digest = store(tmp_path, stored), hashlib.sha256(photo).hexdigest()
    photos.add(digest, photo, known=True)
    assert await photos.keep(digest) and stored == [digest]
    assert await photos.keep(digest)
    assert not await photos.keep("0" * 64)
    assert not list((tmp_path / "held").rglob("*.jpg")) and list((tmp_path / "kept").rglob("*.jpg"))
    await photos.remove(digest)
    assert await photos.read(digest) is None


async def test_retention(tmp_path: Path, photo: bytes) -> None:
    photos = store(tmp_path, [], hold_minutes=10, retention_days=2)
    for digest, age in (("aa" * 32, 3 * 86400), ("bb" * 32, 86400)):
        photos.add(digest, photo, known=True)
        await photos.keep(digest)
        (file,) = (tmp_path / "kept").rglob(f"{digest}*")
        os.utime(file, (time.time() - age,) * 2)
    photos.add("cc" * 32, photo, known=True)
    await photos.settle()
    (held,) = (tmp_path / "held").rglob("*.jpg")
    os.utime(held, (time.time() - 601,) * 2)
    assert await photos.enforce_retention() == ["aa" * 32]
    assert [await photos.read(x * 32) is not None for x in ("aa", "bb", "cc")] == [False, True, False]


async def test_the_sample_policy_keeps_its_share(tmp_path: Path) -> None:
    photos = store(tmp_path, [], policy="sample", sample=0.25)
    areas = [photos.area(known=True) for _ in range(2000)]
    assert 400 < areas.count("kept") < 600 and set(areas) == {"kept", None}
