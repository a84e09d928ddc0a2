"""What a run prints at its end can be pasted into a shell."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest

from phytoflow.cli import run_summary
from phytoflow.cli.run_summary import print_summary
from phytoflow.deploy.local.process import PredictorProcess
from tests.support.make_bundle import CLASSES
from tests.support.metrics import metrics_of, predictions_of


@pytest.fixture
def output(bundle: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "100% leaf?#1 ü"
    shutil.copytree(bundle, folder / "bundle")
    metrics = metrics_of(predictions_of([0, 1, 2, 2], [0, 1, 2, 1], CLASSES))
    (folder / "metrics.json").write_text(metrics.model_dump_json())
    return folder


def commands(text: str) -> list[list[str]]:
    lines = [line.rpartition(":  ")[2].strip() for line in text.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("phytoflow ")]


def test_without_a_predictor_it_says_how_to_serve(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_summary(output, 61)
    text = capsys.readouterr().out
    assert "accuracy  0.750" in text and "on 4 test photos" in text and "1 min 01 s" in text
    assert commands(text) == [["phytoflow", "serve", "--bundle", str(output / "bundle")]]


def test_with_a_predictor_it_says_how_to_ask_and_stop_it(
    output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    PredictorProcess(1, 1, 4711, 4712, "v1").write(output / "predictor.json")
    print_summary(output, 1)
    assert "phytoflow serve" in capsys.readouterr().out  # that process is not running
    monkeypatch.setattr(run_summary.PredictorProcess, "is_running", True)
    print_summary(output, 1)
    ask, stop = commands(capsys.readouterr().out)
    assert ask[:2] == ["phytoflow", "predict"] and Path(ask[2]).is_file()
    assert ask[3:] == ["--url", "http://127.0.0.1:4711", "--model", "leaf"]
    assert stop == ["phytoflow", "stop", "--output", str(output)]


def test_class_names_are_printed_as_they_are(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = output / "bundle" / "bundle.json"
    manifest.write_text(manifest.read_text().replace(f'"{CLASSES[0]}"', '"[bold]Löwenzahn #1[/bold]"'))
    print_summary(output, 1)
    assert "[bold]Löwenzahn #1[/bold]" in capsys.readouterr().out
