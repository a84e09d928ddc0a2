"""`phytoflow train` prepares photos once, and again when they or the settings have changed."""

from __future__ import annotations

import shutil
from pathlib import Path

from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import ConfigError, FolderInUseError
from phytoflow.storage.folder_lock import exclusive_folder
from tests.support.small_training import write_photos

SMALL = ["model.backbone=attention_cnn", "model.image_size=32", "training.end_to_end_epochs=1"]
SETTINGS = [word for setting in [*SMALL, "data.near_duplicate_max_distance=0"] for word in ("--set", setting)]


def train(photos: Path, output: Path, *settings: str) -> Dataset:
    words = ["train", "--data", str(photos), "--output", str(output), *SETTINGS, *settings]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert (output / "model" / "model.json").exists() and not (output / "checkpoints").exists()
    return Dataset.open(output / "dataset")


def test_photos_are_prepared_again_when_they_or_the_settings_changed(tmp_path: Path) -> None:
    photos, output = tmp_path / "photos", tmp_path / "out"
    write_photos(photos, 20)
    first = train(photos, output).summary.data_hash
    made = (output / "dataset" / "dataset.json").stat().st_mtime_ns
    train(photos, output)
    assert (output / "dataset" / "dataset.json").stat().st_mtime_ns == made
    assert train(photos, output, "--set", "data.test_fraction=0.4").count("test") == 16
    shutil.rmtree(photos / "checks")
    write_photos(tmp_path / "more", 24)
    shutil.copytree(tmp_path / "more" / "checks", photos / "checks")
    assert train(photos, output).summary.data_hash != first


def test_a_folder_that_a_run_works_in_is_left_alone(tmp_path: Path) -> None:
    with exclusive_folder(tmp_path):
        done = CliRunner().invoke(app, ["train", "--data", str(tmp_path), "--output", str(tmp_path)])
    assert isinstance(done.exception, FolderInUseError)


def test_machines_that_are_not_there_are_missed_before_photos_are_prepared(tmp_path: Path) -> None:
    words = ["train", "--data", str(tmp_path), "--output", str(tmp_path / "out"), "--set", "training.nodes=2"]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, ConfigError) and "training.nodes=2" in done.exception.message
    assert not (tmp_path / "out").exists()
