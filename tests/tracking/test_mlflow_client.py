import os
import subprocess
import sys
from pathlib import Path

import pytest

from phytoflow.errors import TrackingError
from phytoflow.tracking.mlflow_client import check_settings, named_uri, open_store
from phytoflow.tracking.settings import TrackingSettings
from tests.support.services.processes import wait_until


def test_the_settings_come_before_mlflows_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://team")
    assert named_uri(TrackingSettings(uri="http://mine")) == "http://mine"
    assert named_uri(TrackingSettings()) == "http://team"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert named_uri(TrackingSettings()) == ""


def test_an_object_store_needs_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrackingError, match=r"s3://bucket/run cannot hold"):
        check_settings(TrackingSettings(), "s3://bucket/run")
    check_settings(TrackingSettings(uri="http://mlflow"), "s3://bucket/run")


def test_a_deleted_experiment_is_restored(tmp_path: Path) -> None:
    store = open_store(TrackingSettings(), tmp_path)
    first = store.experiment_id("leaves")
    store.client.delete_experiment(first)
    assert store.experiment_id("leaves") == first
    assert store.client.get_experiment(first).lifecycle_stage == "active"


def test_a_named_store_is_used_as_it_is(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/team.db"
    store = open_store(TrackingSettings(uri=uri), tmp_path / "out")
    assert (store.address, store.folder) == (uri, None)
    store.experiment_id("leaves")
    assert (tmp_path / "team.db").exists() and not (tmp_path / "out").exists()


def test_a_process_killed_while_it_creates_the_database_leaves_none(tmp_path: Path) -> None:
    creating = subprocess.Popen([sys.executable, "-c", _OPEN, str(tmp_path)])
    wait_until(lambda: any(file.stat().st_size for file in _files(tmp_path)), 60, "it creates nothing")
    creating.kill()
    creating.wait()
    assert (tmp_path / "mlflow.db").stat().st_size == 0
    assert open_store(TrackingSettings(), tmp_path).experiment_id("leaves")
    assert [file.name for file in _files(tmp_path)] == ["mlflow.db"]


def test_processes_that_begin_at_the_same_moment_share_one_database(tmp_path: Path) -> None:
    opening = [subprocess.Popen([sys.executable, "-c", _OPEN, str(tmp_path)]) for _ in range(3)]
    assert [process.wait(120) for process in opening] == [0, 0, 0]
    client = open_store(TrackingSettings(), tmp_path).client
    assert all(client.get_experiment_by_name(str(process.pid)) for process in opening)


_OPEN = (
    "import os, sys; from phytoflow.tracking.mlflow_client import *; "
    "open_store(TrackingSettings(), sys.argv[1]).experiment_id(str(os.getpid()))"
)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if not file.name.endswith("-journal")]


def test_mlflow_is_imported_only_when_a_store_is_opened() -> None:
    code = (
        "import sys, phytoflow.tracking.tracker, phytoflow.tracking.registry; print('mlflow' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "False"
