import sqlite3
from pathlib import Path

import pytest

from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.store_uri import DATABASE, store_uri


@pytest.mark.parametrize("name", ["my%20run", "what?", "50%25", "a#b", "sp ace", "ümläut 🌿"])
def test_the_database_and_the_artifacts_are_in_the_output_whatever_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sibling = tmp_path / "50%"
    sibling.mkdir()
    store = open_store(TrackingSettings(), tmp_path / name)
    run = store.client.create_run(store.experiment_id("leaves"))
    (tmp_path / "bundle.json").write_text("{}")
    store.client.log_artifact(run.info.run_id, str(tmp_path / "bundle.json"))
    output = tmp_path / name
    assert (output / DATABASE).is_file()
    assert (output / "mlartifacts" / run.info.run_id / "artifacts/bundle.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "50%", "bundle.json"])
    assert not list(sibling.iterdir())
    again = open_store(TrackingSettings(), output)
    assert again.client.get_experiment_by_name("leaves") is not None


def test_a_folder_made_anew_has_a_new_database(tmp_path: Path) -> None:
    folder = tmp_path / "50%"
    folder.mkdir()
    first = store_uri(folder)
    folder.rename(tmp_path / "old")
    folder.mkdir()
    assert store_uri(folder) != first


def test_a_file_that_is_no_database_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        store_uri(tmp_path)
