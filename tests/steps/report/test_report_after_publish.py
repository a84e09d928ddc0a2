"""The publish step with a real predictor, and the commands that the report then shows."""

import html
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from phytoflow.deploy.local.publisher import stop
from phytoflow.deploy.settings import DeploySettings, ServingSettings
from phytoflow.errors import ServingError
from phytoflow.evaluation.gate.conditions import Condition, Verdict
from phytoflow.evaluation.outcome import RunOutcome
from phytoflow.steps import publish as step
from phytoflow.steps.report import deliver_outcome, read_outcome
from phytoflow.steps.settings import PublishStepSettings
from phytoflow.tracking.registry import champion, register
from phytoflow.tracking.settings import TrackingSettings
from tests.support.colour_bundle import SHADES, jpeg
from tests.support.shard_folder import dataset_folder

PAGE = b"<h1>Right on 39 of 40</h1><!-- outcome --><!-- /outcome -->"
PASSED = Verdict(
    conditions=(Condition(name="accuracy", value=0.9, limit=0.8, passed=True, text="accuracy is fine"),)
)
TRACKING = TrackingSettings()


def settings(**serving: object) -> PublishStepSettings:
    return PublishStepSettings(
        serving=ServingSettings(**serving),  # type: ignore[arg-type]
        deploy=DeploySettings(),
        tracking=TRACKING,
    )


@pytest.fixture(scope="module")
def run(
    colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path]]:
    """A run's output whose gate passed, and its dataset; its predictor is stopped at the end."""
    work = tmp_path_factory.mktemp("publish")
    dataset_folder(work / "dataset", {"train": 2, "validation": 2, "test": 4})
    output = work / "out"
    bundle = colour_bundle(output / "bundle")
    outcome = RunOutcome(output=str(output), verdict=PASSED)
    deliver_outcome(outcome, PAGE, bundle, TRACKING, str(output))
    yield output, work / "dataset"
    stop(output / "predictor.json")


def test_a_published_model_answers_the_commands_that_the_report_shows(
    run: tuple[Path, Path], tmp_path: Path
) -> None:
    output, dataset = run
    bundle = output / "bundle"
    version = register(bundle, TRACKING, output)
    url = step.publish(bundle, version, dataset, settings(name="colours"), str(output))
    publication = read_outcome(str(output)).publication
    assert publication is not None and publication.published and publication.url == url
    current = champion(TRACKING, output, tmp_path)
    assert current is not None and current.version == version
    page = (output / "report.html").read_text()
    curl, python = (html.unescape(text) for text in re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL))
    (tmp_path / "leaf.jpg").write_bytes(jpeg(SHADES["green"]))
    done = subprocess.run(["bash", "-c", curl], cwd=tmp_path, capture_output=True, text=True, check=True)
    outputs = {entry["name"]: entry["data"] for entry in json.loads(done.stdout)["outputs"]}
    assert outputs["labels"][0] == "green"
    done = subprocess.run(
        [sys.executable, "-c", python], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("green 0.")


def test_without_publishing_the_report_says_why_and_how_to_serve(
    run: tuple[Path, Path], tmp_path: Path
) -> None:
    output, dataset = run
    assert step.publish(output / "bundle", "1", dataset, settings(publish=False), str(output)) == ""
    page = (output / "report.html").read_text()
    assert "serving.publish is off" in page
    assert f"phytoflow serve --bundle {output}/bundle" in page


def test_a_publication_that_fails_is_shown_with_its_reason(
    run: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> str:
        raise ServingError("port 8080 is in use")

    output, dataset = run
    monkeypatch.setattr(step, "_serve", refuse)
    with pytest.raises(ServingError):
        step.publish(output / "bundle", "1", dataset, settings(), str(output))
    page = (output / "report.html").read_text()
    assert "but the model was not published" in page and "port 8080 is in use" in page
