import json
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.errors import DataError, StorageError
from phytoflow.evaluation.gate.conditions import Condition, Verdict
from phytoflow.evaluation.outcome import Publication, RunOutcome, TrackedRun
from phytoflow.steps.report import add_publication, deliver_outcome, read_outcome, tracked_run
from phytoflow.tracking.settings import TrackingSettings

PAGE = b"<h1>Right on 39 of 40</h1><!-- outcome --><!-- /outcome --><p>rest</p>"
PASSED = Verdict(
    conditions=(Condition(name="accuracy", value=0.9, limit=0.8, passed=True, text="accuracy is fine"),)
)
TRACKING = TrackingSettings()


@pytest.fixture
def bundle(colour_bundle: Callable[..., Path], tmp_path: Path) -> Path:
    return colour_bundle(tmp_path / "bundle")


def test_each_step_adds_its_part_to_the_report(bundle: Path, tmp_path: Path) -> None:
    output = str(tmp_path / "out")
    run = tracked_run(TRACKING, output, bundle)
    deliver_outcome(
        RunOutcome(output=output, verdict=PASSED, tracked_run=run), PAGE, bundle, TRACKING, output
    )
    page = (tmp_path / "out/report.html").read_text()
    assert "The gate passed</h2>" in page and "accuracy is fine" in page
    assert 'href="data.html"' in page and "model-metrics?workflowType=machine_learning" in page
    publication = Publication(
        published=True, url="http://127.0.0.1:4711", model_name="leaf", where="this machine", time="now"
    )
    add_publication(publication, bundle, TRACKING, output)
    page = (tmp_path / "out/report.html").read_text()
    assert "the model answers on this machine" in page
    assert "http://127.0.0.1:4711/v2/models/leaf/infer" in page
    assert 'Client("http://127.0.0.1:4711", "leaf")' in page.replace("&#34;", '"')
    assert page.count("<h1>") == page.count("The gate passed") == 1 and page.endswith("<p>rest</p>")
    assert read_outcome(output).publication == publication


def test_mlflow_keeps_the_same_report_and_describes_the_run(bundle: Path, tmp_path: Path) -> None:
    from phytoflow.tracking.evaluation_run import bundle_run

    output = str(tmp_path / "out")
    outcome = RunOutcome(output=output, verdict=PASSED, model_version="3", registered_model="leaf")
    deliver_outcome(outcome, PAGE, bundle, TRACKING, output)
    add_publication(Publication(published=False, reason="serving.publish is off"), bundle, TRACKING, output)
    with bundle_run(TRACKING, output, bundle) as tracker:
        note = tracker._client.get_run(tracker.run_id).data.tags["mlflow.note.content"]
        kept = tmp_path / f"out/mlartifacts/{tracker.run_id}/artifacts/evaluation/report.html"
    assert "Gate: passed" in note and "Published: no: serving.publish is off" in note and "[Bundle]" in note
    assert kept.read_text() == (tmp_path / "out/report.html").read_text()


def test_a_publication_that_cannot_be_shown_does_not_fail_the_step(
    bundle: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    add_publication(Publication(published=True), bundle, TRACKING, str(tmp_path / "out"))
    assert "the report does not show the publication" in caplog.text


def test_a_damaged_or_missing_outcome_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"release\.json"):
        read_outcome(str(tmp_path))
    (tmp_path / "release.json").write_text(json.dumps({"verdict": 1}))
    with pytest.raises(DataError, match=r"release\.json is damaged"):
        read_outcome(str(tmp_path))


def test_a_run_is_linked_by_its_name(bundle: Path, tmp_path: Path) -> None:
    run = tracked_run(TRACKING, str(tmp_path / "my 50%"), bundle)
    assert isinstance(run, TrackedRun)
    assert run.name.startswith("bundle ")
    assert run.command.startswith(f"cd '{tmp_path}/my 50%' && mlflow ui")
