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
    assert run.data.metrics == {"f1/scab _wet_": 0.75}
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


def test_long_parameters_are_cut_and_kept_whole_beside(output: Path) -> None:
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
