"""What every command does around its work, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_COMMAND = """
import errno, logging, os, sys
from phytoflow.console import run_command
from phytoflow.errors import DataError

def work():
    {body}

run_command(work)
"""


def run(body: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    code = _COMMAND.format(body=body)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, env=os.environ | environment)


def test_an_error_is_shown_in_words_with_its_exit_code() -> None:
    done = run("raise DataError('only [one] class', remedy='add another')")
    assert done.returncode == 3
    assert done.stderr.decode() == "Error: only [one] class\nWhat to do: add another\n"


@pytest.mark.parametrize("name", ["ENOSPC", "EROFS"])
def test_an_error_of_the_disk_is_one_of_storage(name: str) -> None:
    done = run(f"raise OSError(errno.{name}, os.strerror(errno.{name}), '/disk/x')")
    assert done.returncode == 5 and b"/disk/x" in done.stderr and b"Traceback" not in done.stderr


def test_a_defect_keeps_its_traceback() -> None:
    done = run("raise ValueError('shapes')")
    assert done.returncode == 1 and b"Traceback" in done.stderr


def test_log_lines_go_to_the_error_stream_plainly() -> None:
    done = run("logging.getLogger('phytoflow.x').info('reading'); logging.getLogger('other').info('noise')")
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"reading\n", 0)


def test_a_name_that_is_no_utf8_is_printed() -> None:
    done = run(r"print(os.fsdecode(b'l\xf6we.jpg'))", PYTHONIOENCODING="", LC_ALL="C.UTF-8")
    assert done.stdout == b"l\\udcf6we.jpg\n" and done.returncode == 0


def test_an_interrupt_ends_it_without_a_traceback() -> None:
    done = run("raise KeyboardInterrupt")
    assert (done.returncode, done.stderr) == (130, b"")
