import time
from pathlib import Path

import pytest

from phytoflow.errors import TrackingError
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import MAX_PARAMETER, Tracker


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("output with space")


def run_of(tracker: Tracker):  # type: ignore[no-untyped-def]
    return tracker._client.get_run(tracker.run_id)


def test_records_parameters_metrics_files_and_pictures(output: Path, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    (tmp_path / "history.csv").write_text("epoch\n1\n")
    with Tracker.open(TrackingSettings(), output) as tracker:
        tracker.log_params({"seed": 3, "training": {"head_learning_rate": 0.01, "formats": ("onnx",)}})
        tracker.log_metrics({"f1/scab (wet)": 0.5, "loss": float("nan")}, step=1)
        tracker.log_metrics({"f1/scab (wet)": 0.75}, step=2)
        tracker.log_artifact(tmp_path / "history.csv", "tables")
        tracker.log_figure(Figure(figsize=(1, 1)), "curves.png")
        tracker.set_tags({"data_hash": "abc"})
    run = run_of(tracker)
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "seed": "3",
        "training.head_learning_rate": "0.01",
        "training.formats": "('onnx',)",
    }
    assert run.data.metrics == {"f1/scab :28:wet:29:": 0.75}
    assert run.data.tags["data_hash"] == "abc"
    kept = output / "mlartifacts" / tracker.run_id / "artifacts"
    assert (kept / "tables/history.csv").read_text() == "epoch\n1\n"
    assert (kept / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (output / "mlflow.db").exists()


def test_mlflows_own_variable_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/team.db")
    with Tracker.open(TrackingSettings(), tmp_path / "output") as tracker:
        tracker.log_params({"seed": 1})
    assert (tmp_path / "team.db").exists() and not (tmp_path / "output" / "mlflow.db").exists()


def test_unfinished_work_is_resumed_and_finished_work_is_not(output: Path) -> None:
    killed = Tracker.open(TrackingSettings(), output, key="data-settings")
    again = Tracker.open(TrackingSettings(), output, key="data-settings")
    other = Tracker.open(TrackingSettings(), output, key="other")
    assert again.run_id == killed.run_id != other.run_id
    again.finish()
    assert Tracker.open(TrackingSettings(), output, key="data-settings").run_id != killed.run_id


def test_a_run_is_resumed_by_id(output: Path) -> None:
    first = Tracker.open(TrackingSettings(), output)
    first.finish()
    resumed = Tracker.open(TrackingSettings(), output, run_id=first.run_id)
    assert resumed.run_id == first.run_id
    assert run_of(resumed).info.status == "RUNNING"


def test_an_error_marks_the_run_failed(output: Path) -> None:
    with pytest.raises(ValueError, match="boom"), Tracker.open(TrackingSettings(), output) as tracker:
        raise ValueError("boom")
    assert run_of(tracker).info.status == "FAILED"


def test_long_parameters_are_cut_and_kept_whole_as_a_file(output: Path) -> None:
    tracker = Tracker.open(TrackingSettings(), output)
    tracker.log_params({"classes": "x" * (MAX_PARAMETER + 1)} | {f"p{i}": i for i in range(150)})
    params = run_of(tracker).data.params
    assert len(params) == 151
    assert len(params["classes"]) == MAX_PARAMETER
    whole = output / "mlartifacts" / tracker.run_id / "artifacts/params/classes.txt"
    assert len(whole.read_text()) == MAX_PARAMETER + 1


def test_a_changed_parameter_keeps_its_first_value(output: Path, caplog: pytest.LogCaptureFixture) -> None:
    tracker = Tracker.open(TrackingSettings(), output)
    tracker.log_params({"workers": 1})
    tracker.log_params({"workers": 2, "seed": 1})
    assert run_of(tracker).data.params == {"workers": "1", "seed": "1"}
    assert "workers" in caplog.text


def test_an_unreachable_server_is_named_at_once_without_its_password(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(TrackingError, match=r"127\.0\.0\.1:9") as caught:
        Tracker.open(TrackingSettings(uri="http://me:hidden@127.0.0.1:9"), tmp_path)
    assert time.monotonic() - started < 10
    assert "hidden" not in str(caught.value)
    assert "tracking.uri" in caught.value.remedy


def test_an_object_store_cannot_hold_the_sqlite_file() -> None:
    with pytest.raises(TrackingError, match="s3://bucket/run"):
        Tracker.open(TrackingSettings(), "s3://bucket/run")


def test_a_database_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database" * 100)
    with pytest.raises(TrackingError, match=r"mlflow\.db"):
        Tracker.open(TrackingSettings(), tmp_path)


def test_a_run_with_a_model_is_one_of_mlflows_training_runs(output: Path) -> None:
    """MLflow's page of training runs shows those that have a model among their outputs."""
    training = {"key": "model", "model": "vit_tiny_patch16_224.augreg"}
    with Tracker.open(TrackingSettings(), output, **training) as tracker:
        (pending,) = run_of(tracker).outputs.model_outputs
        assert tracker._client.get_logged_model(pending.model_id).status.value == "PENDING"
        again = Tracker.open(TrackingSettings(), output, **training)
        assert len(run_of(again).outputs.model_outputs) == 1  # resumed: no second model
    model = tracker._client.get_logged_model(pending.model_id)
    assert (model.status.value, model.name) == ("READY", "vit_tiny_patch16_224_augreg")
    assert model.source_run_id == tracker.run_id
    tracker.complete_model("abc123")
    assert tracker._client.get_logged_model(pending.model_id).tags["bundle_version"] == "abc123"


def test_the_experiment_is_one_of_model_training(output: Path) -> None:
    tracker = Tracker.open(TrackingSettings(), output)
    experiment = tracker._client.get_experiment(run_of(tracker).info.experiment_id)
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_the_description_grows_and_a_persons_edit_stays(output: Path) -> None:
    tracker = Tracker.open(TrackingSettings(), output, name="lite0 on leaves, 2026-11-29 20:05")
    assert tracker.name == "lite0 on leaves, 2026-11-29 20:05"
    tracker.describe(trained="lite0 on leaves", output=str(output))
    tracker.describe(result="Right on 39 of 40 test photos", report="evaluation/report.html")
    text = run_of(tracker).data.tags["mlflow.note.content"]
    assert text.startswith("**Right on 39 of 40 test photos**")
    assert "Trained: lite0 on leaves" in text and f"Output: `{output}`" in text
    run = f"#/experiments/{run_of(tracker).info.experiment_id}/runs/{tracker.run_id}"
    assert f"[Curves]({run}/model-metrics?workflowType=machine_learning)" in text
    assert f"[Report]({run}/artifacts/evaluation/report.html?workflowType=machine_learning)" in text
    tracker.set_tags({"mlflow.note.content": "my own words"})
    tracker.describe(gate="passed")
    assert run_of(tracker).data.tags["mlflow.note.content"] == "my own words"
    assert run_of(tracker).data.tags["phytoflow.gate"] == "passed"


def test_scalars_of_classes_of_any_name_are_told_apart(output: Path) -> None:
    names = ["NA", "-1", "健康 🌿", "健康 🍂", "a/b", "a//b", "Löwenzahn #1 <b>&\"q'", "x" * 300, "x" * 301]
    tracker = Tracker.open(TrackingSettings(), output)
    tracker.log_scalars({f"test.per_class.{name}.f1": number for number, name in enumerate(names)})
    metrics = run_of(tracker).data.metrics
    assert sorted(metrics.values()) == list(range(len(names)))
    assert metrics["test.per_class.NA.f1"] == 0 and metrics["test.per_class.健康 :1f33f:.f1"] == 2


def test_more_metrics_than_one_request_takes(output: Path) -> None:
    tracker = Tracker.open(TrackingSettings(), output)
    tracker.log_scalars({f"m{number}": number for number in range(1500)})
    assert len(run_of(tracker).data.metrics) == 1500
