import pytest

from phytoflow.tracking.logged_model import LoggedModel
from phytoflow.tracking.mlflow_client import Store, open_store
from phytoflow.tracking.settings import TrackingSettings


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(TrackingSettings(), tmp_path_factory.mktemp("store"))


def new_run(store: Store) -> str:
    return str(store.client.create_run(store.experiment_id("leaves")).info.run_id)


def status(store: Store, run: str) -> str:
    (output,) = store.client.get_run(run).outputs.model_outputs
    return str(store.client.get_logged_model(output.model_id).status.value)


def test_a_failed_training_leaves_a_failed_model(store: Store) -> None:
    run = new_run(store)
    model = LoggedModel(store, run)
    model.start("lite0")
    assert status(store, run) == "PENDING"
    model.finish(failed=True)
    assert status(store, run) == "FAILED"


def test_a_run_that_started_no_model_ends_without_one(store: Store) -> None:
    run = new_run(store)
    LoggedModel(store, run).finish(failed=False)
    LoggedModel(store, run).complete("abc")
    outputs = store.client.get_run(run).outputs
    assert not outputs or not outputs.model_outputs


def test_a_server_without_models_does_not_stop_the_training(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(*_: object, **__: object) -> None:
        raise RuntimeError("404: no such endpoint")

    run = new_run(store)
    monkeypatch.setattr(type(store.client), "create_logged_model", missing)
    model = LoggedModel(store, run)
    with caplog.at_level("INFO", "phytoflow"):
        model.start("lite0")
        model.finish(failed=False)
    assert "keeps no model entries (404" in caplog.text
