"""The log of a run, also on a disk that is full for a while."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from pipelines.run_log import open_log
from tests.support.disks import fill, small_disk


def test_lines_are_appended_at_once_whatever_is_in_them(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("before\n")
    with open_log(tmp_path / "run.log") as log:
        log.write("bl\udcfctt.jpg\n")
        assert (tmp_path / "run.log").read_text() == "before\nbl\\udcfctt.jpg\n"


def test_a_full_disk_costs_lines_and_nothing_else(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as disk:
        with open_log(disk / "run.log") as log:
            log.write("first\n")
            filler = fill(disk)
            log.writelines(f"{'x' * 1000}\n" for _ in range(20))
            filler.unlink()
            log.write("last\n")
            fill(disk)
            log.write("y" * 10_000)
        written = (disk / "run.log").read_text()
    assert written.startswith("first\n") and "last\n" in written
    assert written.count("x") < 20_000


def test_a_log_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.log").mkdir()
    with pytest.raises(StorageError, match=r"cannot write .*run\.log"), open_log(tmp_path / "run.log"):
        pass
