"""What the file system refuses is said with the file, the reason and what to do: on real, small disks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file, atomic_folder
from phytoflow.storage.disk_errors import explain_disk_errors
from tests.support.disks import make_read_only, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 1) as folder:
        yield folder


def test_a_full_disk_is_named_with_what_is_left_of_it(disk: Path) -> None:
    full = pytest.raises(StorageError, match=r"no space left to write .*model")
    with full as refusal, atomic_folder(disk / "model") as aside:
        (aside / "weights").write_bytes(bytes(2 * 2**20))
    remedy = refusal.value.remedy
    assert f"free some space on {disk} (" in remedy and "of 1 MB are left" in remedy
    assert list(disk.iterdir()) == []


def test_a_read_only_disk_is_named(disk: Path) -> None:
    make_read_only(disk)
    with (
        pytest.raises(StorageError, match=r"cannot write .*out.*[Rr]ead-only"),
        atomic_file(disk / "out" / "x"),
    ):
        pass


@pytest.mark.parametrize("writer", [atomic_file, atomic_folder])
def test_a_file_where_a_folder_should_be_is_named(writer: type, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StorageError, match=r"/out is no folder"), writer(tmp_path / "out" / "bundle"):
        pass


@pytest.mark.parametrize("writer", [atomic_file, atomic_folder])
@pytest.mark.parametrize("place", ["/proc/out", "/proc/out/bundle"])
def test_a_place_in_which_nothing_can_be_made_is_named(writer: type, place: str) -> None:
    with (
        pytest.raises(StorageError, match=r"cannot write /proc/.*can be made there"),
        writer(Path(place)) as at,
    ):
        at.write_text("")


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="too long"), atomic_file(tmp_path / ("x" * 300)):
        pass


def test_a_file_that_cannot_be_read_is_no_error_of_writing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), explain_disk_errors(tmp_path / "out"):
        (tmp_path / "photo.jpg").read_bytes()
    error = PermissionError(13, "Permission denied", "/elsewhere/photo.jpg")
    with pytest.raises(PermissionError), explain_disk_errors(tmp_path / "out"):
        raise error
