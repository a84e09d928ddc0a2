"""Two runs in one folder: the second is refused in words; what a killed run left is no obstacle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from phytoflow.errors import FolderInUseError, StorageError
from phytoflow.storage.folder_lock import LOCK_FILE, Holder, exclusive_folder

_HOLD = """
import subprocess, sys, time
from pathlib import Path
from phytoflow.storage.folder_lock import exclusive_folder
with exclusive_folder(Path(sys.argv[1])) as lock:
    if sys.argv[2:]:
        sleep = [sys.executable, "-c", "import time; time.sleep(float(%r))" % sys.argv[2]]
        subprocess.Popen(sleep, pass_fds=[lock], stdout=subprocess.DEVNULL)
    print("here", flush=True)
    time.sleep(600)
"""


@contextmanager
def holder(folder: Path, *child_seconds: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that works in the folder, perhaps with a child that holds the lock too."""
    command = [sys.executable, "-c", _HOLD, str(folder), *child_seconds]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "here\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_second_is_refused_and_the_first_named(tmp_path: Path) -> None:
    with holder(tmp_path / "a b") as first:
        refused = pytest.raises(FolderInUseError, match=f"process {first.pid} on .*, since 20..-..-..T")
        with refused as refusal, exclusive_folder(tmp_path / "a b"):
            pass
        assert f"kill {first.pid}" in refusal.value.remedy
        assert f"tail -f '{tmp_path}/a b/run.log'" in refusal.value.remedy and refusal.value.exit_code == 14
    with exclusive_folder(tmp_path / "a b"):
        pass


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert (tmp_path / LOCK_FILE).read_text() != ""
    with exclusive_folder(tmp_path):
        assert (Holder.read(tmp_path / LOCK_FILE) or first).pid == os.getpid()
    assert (tmp_path / LOCK_FILE).read_text() == ""


def test_children_of_a_killed_process_are_waited_for(tmp_path: Path) -> None:
    with holder(tmp_path, "1.5") as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        with exclusive_folder(tmp_path, ending_seconds=60):
            pass


def test_children_that_do_not_end_are_named(tmp_path: Path) -> None:
    with holder(tmp_path, "60") as first:
        first.send_signal(signal.SIGKILL)
        first.wait()
        refused = pytest.raises(FolderInUseError, match="it was killed, but one of its steps")
        with refused, exclusive_folder(tmp_path, ending_seconds=0.2):
            pass


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StorageError, match="out is no folder"), exclusive_folder(tmp_path / "out"):
        pass


@pytest.mark.parametrize("content", ["", "nonsense", "{}", '{"pid": 1}'])
def test_a_lock_file_that_says_nothing_useful_is_no_obstacle(content: str, tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_text(content)
    with exclusive_folder(tmp_path):
        pass
