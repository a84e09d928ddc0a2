"""Where a killed training finds what it had finished."""

import shutil
from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.training.engine.checkpoints import CheckpointStore, fingerprint


def store(folder: Path, key: str = "a") -> CheckpointStore:
    return CheckpointStore(str(folder / "checkpoints"), key, folder / "scratch")


def test_files_are_found_under_the_same_key_only(tmp_path: Path) -> None:
    assert store(tmp_path).get("last") is None
    store(tmp_path).put("last", lambda path: path.write_text("epoch 3"))
    found = store(tmp_path).get("last")
    assert found is not None and found.read_text() == "epoch 3"
    assert store(tmp_path, "b").get("last") is None


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    store(tmp_path).put("last", lambda path: path.write_text("epoch 3"))

    def fail(path: Path) -> None:
        path.write_text("half of epo")
        raise StorageError("no space left")

    with pytest.raises(StorageError):
        store(tmp_path).put("last", fail)
    kept = store(tmp_path).get("last")
    assert kept is not None and kept.read_text() == "epoch 3"
    assert [path.name for path in kept.parent.iterdir()] == ["last"]


def result_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_a_result_replaces_what_only_an_unfinished_training_needs(tmp_path: Path) -> None:
    mine = store(tmp_path)
    mine.put("fold 1.last", lambda path: path.write_text("epoch 3"))
    (mine.scratch / "features").mkdir(parents=True)
    assert not mine.has_result()
    mine.put_result(result_folder(tmp_path / "model"))
    again = store(tmp_path)
    assert again.has_result() and again.get("fold 1.last") is None and not mine.scratch.exists()
    copy = again.fetch_result(tmp_path / "copy")
    assert copy == tmp_path / "copy" and (copy / "model.safetensors").read_bytes() == b"weights"


def test_a_result_without_its_mark_is_none(tmp_path: Path) -> None:
    """In an object store its files appear one by one; a kill may leave half of them."""
    mine = store(tmp_path)
    shutil.copytree(result_folder(tmp_path / "model"), tmp_path / "checkpoints" / "a" / "result")
    assert not mine.has_result()


def test_a_fingerprint_identifies_its_values() -> None:
    assert fingerprint(a=1, b=[2]) == fingerprint(b=[2], a=1) != fingerprint(a=1, b=[3])
