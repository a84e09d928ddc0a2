from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import StorageError
from phytoflow.evaluation.evaluate import evaluate
from phytoflow.evaluation.gate.conditions import Condition, Verdict
from phytoflow.evaluation.outcome import RunOutcome
from phytoflow.evaluation.results import read_metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.steps.register import register
from phytoflow.steps.report import deliver_outcome, read_outcome
from phytoflow.steps.settings import RegisterStepSettings
from phytoflow.tracking.settings import TrackingSettings

TRACKING = TrackingSettings()
SETTINGS = EvaluationSettings(bootstrap_samples=100, latency_photos=5)
PASSED = Verdict(
    conditions=(Condition(name="accuracy", value=0.9, limit=0.8, passed=True, text="accuracy is fine"),)
)


@pytest.fixture(scope="module")
def evaluated(
    colour_bundle: Callable[..., Path],
    colour_photo: Callable[..., LabelledPhoto],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Path]:
    """A bundle and its evaluation."""
    work = tmp_path_factory.mktemp("register")
    bundle = colour_bundle(work / "bundle")
    evaluate(bundle, [colour_photo("red", n) for n in range(4)], SETTINGS, work / "evaluation", 0)
    return bundle, work / "evaluation"


def test_the_bundle_is_completed_delivered_and_registered(
    evaluated: tuple[Path, Path], tmp_path: Path
) -> None:
    (bundle, evaluation), output = evaluated, str(tmp_path / "out")
    report = (evaluation / "report.html").read_bytes()
    deliver_outcome(RunOutcome(output=output, verdict=PASSED), report, bundle, TRACKING, output)
    version = register(
        bundle, evaluation, RegisterStepSettings(tracking=TRACKING), output, tmp_path / "complete"
    )
    assert version == "1"
    for folder in (tmp_path / "complete", tmp_path / "out/bundle"):
        assert read_metrics(folder).photos == 4
        page = (folder / "report.html").read_text()
        assert "The gate passed" in page and "data.html" not in page  # it is not in the bundle's folder
        assert (folder / "model_card.md").exists() and (folder / "model.onnx").exists()
    assert read_outcome(output).model_version == "1"
    assert "version 1 of “leaf”" in (tmp_path / "out/report.html").read_text()


def test_nothing_is_registered_before_the_gate_has_judged(
    evaluated: tuple[Path, Path], tmp_path: Path
) -> None:
    bundle, evaluation = evaluated
    settings = RegisterStepSettings(tracking=TRACKING)
    with pytest.raises(StorageError, match=r"release\.json"):
        register(bundle, evaluation, settings, str(tmp_path / "out"), tmp_path / "complete")
    assert not (tmp_path / "complete").exists() and not (tmp_path / "out").exists()
