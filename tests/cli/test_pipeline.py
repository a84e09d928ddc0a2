"""`phytoflow pipeline compile` and `submit` as a user runs them; runs on a real backend are in tests/e2e."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow.cli import pipeline
from phytoflow.cli.main import app
from phytoflow.errors import ConfigError
from pipelines.compile_options import CompileOptions


def test_compile_with_an_image_names_the_next_step(tmp_path: Path) -> None:
    target = tmp_path / "out.yaml"
    options = ["--output", str(target), "--image", "registry/pipeline:1", "--accelerators", "1"]
    done = CliRunner().invoke(app, ["pipeline", "compile", *options])
    assert done.exit_code == 0 and target.exists()
    assert f"run create -e phytoflow-training -f {target}" in done.output and "WARNING" not in done.output


def test_compile_without_an_image_warns_that_it_cannot_run_on_a_cluster(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["pipeline", "compile", "--output", str(tmp_path / "out.yaml")])
    assert done.exit_code == 0
    assert "WARNING" in done.stderr and "cannot run on a cluster" in done.stderr and "--image" in done.stderr


def test_defaults_shown_are_those_of_the_compile_options() -> None:
    parameters = inspect.signature(pipeline.compile_pipeline).parameters
    shared = parameters.keys() & CompileOptions.model_fields.keys() - {"image", "node_selector"}
    assert len(shared) >= 7
    options = CompileOptions()
    assert {name: parameters[name].default for name in shared} == {n: getattr(options, n) for n in shared}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--node-selector", "gpu=a100"], "gpu=a100"),
        (["--image-pull-policy", "Sometimes"], "image_pull_policy"),
    ],
)
def test_a_wrong_option_is_named(options: list[str], words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["pipeline", "compile", "--output", str(tmp_path / "p"), *options])
    assert isinstance(done.exception, ConfigError) and words in str(done.exception)


def test_a_wrong_setting_is_refused_before_the_backend_is_asked() -> None:
    place = ["--host", "http://127.0.0.1:1", "--data", "s3://photos/leaves", "--output", "s3://runs/1"]
    done = CliRunner().invoke(app, ["pipeline", "submit", *place, "--set", "training.cached_view=3"])
    assert isinstance(done.exception, ConfigError) and "training.cached_views" in str(done.exception)


def test_a_wrong_search_is_refused_before_the_backend_is_asked() -> None:
    place = ["--host", "http://127.0.0.1:1", "--data", "s3://photos/leaves", "--output", "s3://runs/1"]
    done = CliRunner().invoke(app, ["pipeline", "submit", *place, "--search", "trails: 3"])
    assert isinstance(done.exception, ConfigError) and "trials" in str(done.exception)


def test_a_run_on_a_cluster_cannot_write_to_a_local_folder() -> None:
    place = ["--host", "http://127.0.0.1:1", "--data", "s3://photos/leaves", "--output", "out"]
    done = CliRunner().invoke(app, ["pipeline", "submit", *place])
    assert isinstance(done.exception, ConfigError) and "s3://" in done.exception.remedy
