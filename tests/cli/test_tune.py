"""`phytoflow tune`: wrong options are refused before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.errors import ConfigError, FolderInUseError, PhytoflowError
from phytoflow.storage.folder_lock import exclusive_folder


def tune(folder: Path, *options: str) -> BaseException | None:
    words = ["tune", "--data", str(folder / "photos"), "--output", str(folder / "search"), *options]
    return CliRunner().invoke(app, words).exception


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--vary", "model.image_sise=[64]"], "image_size"),
        (["--vary", "model.image_size=64"], "cannot vary model.image_size"),
        (["--set", "training.rnak=3"], "training.rank"),
        (["--set", "model.weights=none"], "the search would try"),
        (["--set", "training.strategy=lora", "--vary", "training.finetune_blocks=[0, 4]"], "finetune_blocks"),
    ],
)
def test_wrong_settings_are_refused_before_photos_are_read(
    tmp_path: Path, options: list[str], named: str
) -> None:
    error = tune(tmp_path, *options)
    assert isinstance(error, ConfigError) and named in f"{error.message} {error.remedy}"
    assert not (tmp_path / "search").exists()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    error = tune(tmp_path)
    assert isinstance(error, PhytoflowError) and str(tmp_path / "photos") in error.message


def test_a_folder_in_which_another_search_runs_is_left_alone(tmp_path: Path) -> None:
    with exclusive_folder(tmp_path / "search"):
        assert isinstance(tune(tmp_path), FolderInUseError)


@pytest.mark.parametrize("option", ["--trials=0", "--preset=slow", "--seconds=0", "--photos=-1"])
def test_options_out_of_range_are_refused(tmp_path: Path, option: str) -> None:
    assert isinstance(tune(tmp_path, option), SystemExit)
