from collections.abc import Callable
from pathlib import Path

from phytoflow.tracking.evaluation_run import bundle_run, log_evaluation, log_report, log_verdict
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker


def test_figures_files_and_verdict_join_the_run_that_trained_the_bundle(
    tmp_path: Path, write_bundle: Callable[..., Path]
) -> None:
    with Tracker.open(TrackingSettings(), tmp_path) as tracker:
        tracker.log_metrics({"loss": 0.5})
    bundle = write_bundle(tmp_path / "bundle", run_id=tracker.run_id)
    (tmp_path / "evaluation").mkdir()
    (tmp_path / "evaluation/report.html").write_text("<h1>Right</h1>")
    scalars = {"test.accuracy": 0.75}
    log_evaluation(TrackingSettings(), tmp_path, bundle, tmp_path / "evaluation", scalars, "Right on 3 of 4")
    log_verdict(TrackingSettings(), tmp_path, bundle, "accuracy 0.750 is below 0.800")
    run = tracker._client.get_run(tracker.run_id)
    assert run.data.metrics == {"loss": 0.5, "test.accuracy": 0.75}
    assert run.data.tags["gate"] == "accuracy 0.750 is below 0.800"
    assert run.data.tags["mlflow.note.content"].startswith("**Right on 3 of 4**")
    assert run.info.status == "FINISHED"
    kept = tmp_path / "mlartifacts" / tracker.run_id / "artifacts/evaluation/report.html"
    assert kept.read_text() == "<h1>Right</h1>"

    (tmp_path / "report.html").write_text("<h1>Right, and published</h1>")
    facts = {"published": "http://127.0.0.1:8080"}
    log_report(TrackingSettings(), tmp_path, bundle, tmp_path / "report.html", facts)
    assert kept.read_text() == "<h1>Right, and published</h1>"
    note = tracker._client.get_run(tracker.run_id).data.tags["mlflow.note.content"]
    assert "Published: http://127.0.0.1:8080" in note and "Right on 3 of 4" in note

    orphan = write_bundle(tmp_path / "orphan", model=b"other")
    log_verdict(TrackingSettings(), tmp_path, orphan, "passed")
    again = bundle_run(TrackingSettings(), tmp_path, orphan)
    assert again.run_id != tracker.run_id
    assert tracker._client.get_run(again.run_id).data.tags["gate"] == "passed"
