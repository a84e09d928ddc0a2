import signal
import subprocess
import sys
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
