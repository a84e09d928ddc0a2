import tempfile
from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.storage.temporary import temporary_folder
from tests.support.disks import make_read_only, small_disk


def test_it_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    with temporary_folder(tmp_path / "new") as folder:
        (folder / "a" / "b").mkdir(parents=True)
        assert folder.parent == tmp_path / "new"
    assert list((tmp_path / "new").iterdir()) == []


def test_without_a_parent_it_lies_among_the_systems_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    with temporary_folder() as folder:
        assert folder.parent == Path(tempfile.gettempdir())
    assert not folder.exists()


def test_a_full_and_a_read_only_disk_are_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        with (
            pytest.raises(StorageError, match=f"no space left to write {disk}"),
            temporary_folder(disk) as folder,
        ):
            (folder / "large").write_bytes(bytes(2 * 2**20))
        assert list(disk.iterdir()) == []
        make_read_only(disk)
        with pytest.raises(StorageError, match="Read-only file system"), temporary_folder(disk):
            pass
