"""What `phytoflow run` hands to the pipeline."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from phytoflow.cli import run as module


def test_local_folders_are_handed_on_by_their_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: dict[str, Any] = {}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipelines.local_runner.run_here", lambda _, parameters: handed.update(parameters))
    monkeypatch.setattr(module, "_tell", lambda *_: None)
    overrides = ["evaluation.external_data=elsewhere", "evaluation.ood_data=cats"]
    module.run_pipeline("photos", None, overrides, Path("out"))
    evaluation = yaml.safe_load(handed["overrides"])["evaluation"]
    assert handed["data"] == str(tmp_path / "photos") and handed["output"] == str(tmp_path / "out")
    assert evaluation == {"external_data": str(tmp_path / "elsewhere"), "ood_data": str(tmp_path / "cats")}


def test_a_store_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: dict[str, Any] = {}
    monkeypatch.setattr("pipelines.local_runner.run_here", lambda _, parameters: handed.update(parameters))
    monkeypatch.setattr(module, "_tell", lambda *_: None)
    module.run_pipeline("s3://photos/leaves", None, [], tmp_path)
    assert handed["data"] == "s3://photos/leaves"
