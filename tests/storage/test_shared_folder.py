import os
import subprocess
import sys
from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.storage.shared_folder import leave_folder, shared_folder

SCRIPT = """
import sys
from phytoflow.storage.shared_folder import shared_folder
folder = shared_folder("shards")
(folder / "seen").touch()
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_it_is_this_users_alone_and_gone_at_the_end() -> None:
    folder = shared_folder("a")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert shared_folder("a") == folder != shared_folder("b")
    leave_folder(folder, os.getpid())
    assert not folder.exists()


def test_the_last_of_its_processes_removes_it() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        folder = shared_folder("shards")
        assert other.stdout.readline().strip() == str(folder)
        leave_folder(folder, os.getpid())
        assert (folder / "seen").exists()
        other.communicate()
    assert other.returncode == 0 and not folder.exists()


def test_a_forked_child_does_not_remove_it() -> None:
    folder = shared_folder("a")
    leave_folder(folder, os.getpid() + 1)
    assert folder.exists()
    leave_folder(folder, os.getpid())


def test_somebody_elses_place_is_refused(place: Path) -> None:
    (place / "elsewhere").mkdir()
    (place / f"a-{os.getuid()}").symlink_to(place / "elsewhere")
    with pytest.raises(StorageError, match="not a folder of this user"):
        shared_folder("a")
