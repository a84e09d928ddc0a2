import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file, atomic_folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    for content in ("one", "two"):
        with atomic_folder(target) as aside:
            (aside / "a.txt").write_text(content)
            assert not target.exists() or (target / "a.txt").read_text() == "one"
    assert (target / "a.txt").read_text() == "two"
    assert _names(tmp_path) == ["bundle"]


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with atomic_folder(target) as aside:
        (aside / "a.txt").write_text("whole")
    with pytest.raises(RuntimeError), atomic_folder(target) as aside:
        (aside / "a.txt").write_text("half")
        raise RuntimeError
    assert (target / "a.txt").read_text() == "whole"
    assert _names(tmp_path) == ["bundle"]


def test_a_killed_writer_leaves_nothing_that_looks_whole_and_the_next_sweeps_up(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    code = (
        "import os, sys; from pathlib import Path; from phytoflow.storage.atomic import atomic_folder\n"
        "with atomic_folder(Path(sys.argv[1])) as aside:\n"
        "    (aside / 'a.txt').write_text('half'); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    assert len(_names(tmp_path)) == 1
    with atomic_folder(target) as aside:
        (aside / "a.txt").write_text("whole")
    assert _names(tmp_path) == ["bundle"]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "metrics.json"
    with pytest.raises(RuntimeError), atomic_file(target) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert _names(tmp_path) == []
    with atomic_file(target) as aside:
        aside.write_text("{}")
    assert target.read_text() == "{}"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no space left"), atomic_file(tmp_path / "x") as aside:
        aside.symlink_to("/dev/full")
        with aside.open("w") as file:
            file.write("x")


def test_what_a_living_writer_has_aside_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with atomic_folder(target) as first:
        with atomic_folder(target) as second:
            (second / "a.txt").write_text("second")
        assert first.is_dir()
        (first / "a.txt").write_text("first")
    assert (target / "a.txt").read_text() == "first"


def test_a_reader_never_misses_a_folder_that_is_being_replaced(tmp_path: Path) -> None:
    """The two folders change places in one step, so that a process killed in between loses neither."""
    target, done, missed = tmp_path / "bundle", threading.Event(), []
    with atomic_folder(target) as aside:
        (aside / "a.txt").write_text("0")

    def look() -> None:
        while not done.is_set():
            if not target.exists():
                missed.append(True)

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(200):
        with atomic_folder(target) as aside:
            (aside / "a.txt").write_text(str(number))
    done.set()
    reader.join()
    assert not missed
    assert _names(tmp_path) == ["bundle"] and (target / "a.txt").read_text() == "199"


def test_a_file_system_that_cannot_exchange_two_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phytoflow.storage.atomic._exchange", lambda *_: False)
    for content in ("one", "two"):
        with atomic_folder(tmp_path / "bundle") as aside:
            (aside / "a.txt").write_text(content)
    assert (tmp_path / "bundle" / "a.txt").read_text() == "two"
    assert _names(tmp_path) == ["bundle"]


def test_a_file_is_not_replaced_by_a_folder_nor_a_folder_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")
    with (
        pytest.raises(StorageError, match=r"notes is a file, and a folder is to be written there") as refusal,
        atomic_folder(tmp_path / "notes"),
    ):
        pytest.fail("nothing is written")
    assert "move" in refusal.value.remedy and refusal.value.exit_code == 5
    (tmp_path / "photos").mkdir()
    with (
        pytest.raises(StorageError, match="photos is a folder, and a file is to be written there"),
        atomic_file(tmp_path / "photos"),
    ):
        pytest.fail("nothing is written")
    assert (tmp_path / "notes").read_text() == "mine"
    assert _names(tmp_path) == ["notes", "photos"]


def test_what_is_behind_a_link_is_written_there(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "bundle").symlink_to(tmp_path / "disk" / "bundle")
    (tmp_path / "metrics.json").symlink_to(tmp_path / "disk" / "metrics.json")
    for _ in range(2):
        with atomic_folder(tmp_path / "bundle") as aside:
            (aside / "a.txt").write_text("here")
        with atomic_file(tmp_path / "metrics.json") as aside:
            aside.write_text("{}")
    assert (tmp_path / "bundle").is_symlink() and (tmp_path / "metrics.json").is_symlink()
    assert (tmp_path / "disk" / "bundle" / "a.txt").read_text() == "here"
    assert _names(tmp_path) == ["bundle", "disk", "metrics.json"]
    assert _names(tmp_path / "disk") == ["bundle", "metrics.json"]
