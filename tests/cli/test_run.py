"""What `phytoflow run` hands to the pipeline."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from phytoflow import __version__
from phytoflow.cli import run as module
from phytoflow.cli.run_summary import _command


def test_local_folders_are_handed_on_by_their_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipelines.local_runner.run_here", lambda _, parameters: handed.update(parameters))
    monkeypatch.setattr("phytoflow.cli.run_summary.print_summary", lambda *_: None)
    overrides = ["evaluation.external_data=elsewhere", "evaluation.ood_data=cats"]
    overrides += ["model.weights=weights.safetensors", "model.hub_url=https://mirror.example.com/timm"]
    module.run_pipeline("photos", None, overrides, tmp_path / "out")
    evaluation, model = (yaml.safe_load(handed["overrides"])[section] for section in ("evaluation", "model"))
    assert handed["data"] == str(tmp_path / "photos")
    assert evaluation == {"external_data": str(tmp_path / "elsewhere"), "ood_data": str(tmp_path / "cats")}
    assert model == {
        "weights": str(tmp_path / "weights.safetensors"),
        "hub_url": "https://mirror.example.com/timm",
    }


def test_a_store_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: dict[str, Any] = {}
    monkeypatch.setattr("pipelines.local_runner.run_here", lambda _, parameters: handed.update(parameters))
    monkeypatch.setattr("phytoflow.cli.run_summary.print_summary", lambda *_: None)
    module.run_pipeline("s3://photos/leaves", None, [], tmp_path)
    assert handed["data"] == "s3://photos/leaves"


_SPY = """
import builtins, sys
def spy(*words, **options):
    sys.stdout.write(words[0] + "\\n")
    sys.stdout.write(repr([name for name in ("numpy", "yaml", "kfp") if name in sys.modules]) + "\\n")
builtins.print = spy
from phytoflow.cli.main import app
app(["run", "--output", sys.argv[1], "--set", "wrong=1"])
"""


def test_the_first_line_comes_before_anything_slow_is_imported(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", _SPY, str(tmp_path / "out")], capture_output=True, text=True)
    first, heavy, *_ = done.stdout.splitlines()
    assert first == f"phytoflow {__version__}: 8 steps, logged in {tmp_path / 'out' / 'run.log'}"
    assert heavy == "[]"


@pytest.mark.parametrize("folder", ["out", "100% leaf?#1 ü"])
def test_commands_that_it_prints_can_be_pasted_whatever_the_folder_is_called(folder: str) -> None:
    command = _command("stop", "--output", Path("/tmp") / folder)
    assert shlex.split(command) == ["phytoflow", "stop", "--output", f"/tmp/{folder}"]
