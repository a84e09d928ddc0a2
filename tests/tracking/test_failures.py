import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from phytoflow.errors import StorageError, TrackingError
from phytoflow.tracking.failures import explain_failure
from phytoflow.tracking.mlflow_client import DATABASE, open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker
from tests.support.disks import make_read_only, small_disk


def fill(disk: Path, left: int = 0) -> Path:
    """Fills a disk up to a number of bytes."""
    file = disk / "filler"
    file.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - left)))
    return file


def test_a_disk_that_fills_up_within_the_database_ends_with_the_disks_exit_code(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        tracker = Tracker.open(TrackingSettings(), disk / "out")
        filler = fill(disk)
        with pytest.raises(StorageError, match=r"no space left to write .*mlflow\.db") as caught:
            for step in range(2000):
                tracker.log_metrics({f"m{number}": 0.5 for number in range(200)}, step=step)
        assert caught.value.exit_code == 5 and str(disk) in caught.value.remedy
        filler.unlink()
        tracker.log_metrics({"after": 1.0})  # the database is whole
        assert tracker._client.get_run(tracker.run_id).data.metrics["after"] == 1


def test_a_disk_that_is_full_from_the_start_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2) as disk:
        fill(disk)
        with pytest.raises(StorageError, match="no space left"):
            Tracker.open(TrackingSettings(), disk / "out")


def test_a_disk_that_fills_up_within_the_artifacts_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(os.urandom(3 * 2**20))
    with small_disk(tmp_path / "disk", 4) as disk:
        tracker = Tracker.open(TrackingSettings(), disk / "out")
        with pytest.raises(StorageError, match="no space left to write") as caught:
            for number in range(3):
                tracker.log_artifact(tmp_path / "model.onnx", f"bundle{number}")
        assert caught.value.exit_code == 5


def test_a_read_only_output_is_refused_at_once(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 4) as disk:
        (disk / "new").mkdir()
        (disk / "out").mkdir()
        with closing(sqlite3.connect(disk / "out" / DATABASE)) as database:
            database.execute("CREATE TABLE runs (id)")
        make_read_only(disk)
        for name in ("out", "new"):
            with pytest.raises(StorageError, match=rf"cannot write .*{name}/mlflow\.db") as caught:
                open_store(TrackingSettings(), disk / name)
            assert caught.value.exit_code == 5 and "--output" in caught.value.remedy


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(StorageError, match="out is no folder"):
        open_store(TrackingSettings(), tmp_path / "out")


def test_failures_of_mlflow_keep_their_first_line_and_no_secret(tmp_path: Path) -> None:
    error = explain_failure(ValueError("first\nsecond"), "http://mlflow", None, "look at the server")
    assert isinstance(error, TrackingError)
    assert error.message == "MLflow at http://mlflow: first" and error.remedy == "look at the server"


def test_the_cause_is_found_below_what_mlflow_wraps_it_in(tmp_path: Path) -> None:
    class WrapperError(Exception):
        orig = sqlite3.OperationalError("database or disk is full")

    try:
        try:
            raise WrapperError("(sqlite3.OperationalError) database or disk is full")
        except WrapperError as inner:
            raise RuntimeError("BAD_REQUEST") from inner
    except RuntimeError as outer:
        explained = explain_failure(outer, str(tmp_path / DATABASE), tmp_path, "")
    assert isinstance(explained, StorageError)


def test_a_broken_disk_is_not_called_full(tmp_path: Path) -> None:
    error = explain_failure(
        sqlite3.OperationalError("disk I/O error"), str(tmp_path / DATABASE), tmp_path, ""
    )
    assert isinstance(error, TrackingError)
