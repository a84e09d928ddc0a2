from pathlib import Path

from phytoflow.steps.train import clear_checkpoints
from phytoflow.tracking.mlflow_client import open_store
from tests.steps.conftest import Flow


def test_the_model_is_whole_and_its_run_is_recorded(trained: Flow) -> None:
    model = trained.folder / "model"
    assert {"model.json", "history.csv", "curves.png"} <= {path.name for path in model.iterdir()}
    store = open_store(trained.settings.tracking, trained.output)
    experiment = store.experiment_id(trained.settings.tracking.experiment)
    runs = store.client.search_runs([experiment], "attributes.status = 'FINISHED'")
    parameters = [run.data.params for run in runs if "data_hash" in run.data.params]
    assert parameters and parameters[0]["model.backbone"] == "attention_cnn"
    assert parameters[0]["training.end_to_end_epochs"] == "2"


def test_checkpoints_are_removed_where_they_are_local(tmp_path: Path) -> None:
    (tmp_path / "checkpoints" / "key").mkdir(parents=True)
    (tmp_path / "model").mkdir()
    clear_checkpoints(str(tmp_path))
    clear_checkpoints(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
