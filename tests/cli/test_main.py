"""The command as a user runs it: what it prints, and its exit codes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow import __version__
from phytoflow.cli.main import COMMANDS, app
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from tests.support.make_bundle import CLASSES, pictures
from tests.support.services.cutting_server import Behaviour, serve


def phytoflow(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "phytoflow.cli", *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for photo in pictures():
        (folder / photo.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / photo.path).write_bytes(photo.content)
    return folder


@pytest.mark.parametrize("command", [name for panel in COMMANDS.values() for name in panel])
def test_every_command_has_help_worth_reading(command: str) -> None:
    done = CliRunner().invoke(app, [command, "-h"])
    assert done.exit_code == 0 and len(done.output) > 200


def test_commands_are_listed_in_the_order_of_a_newcomers_day() -> None:
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "100"}).output
    listed = [line.split()[1] for line in text.splitlines() if re.match(r"│ [a-z]", line)]
    assert listed == [name for panel in COMMANDS.values() for name in panel]
    assert listed[0] == "run"


def test_the_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(app, ["--version"]).output == f"phytoflow {__version__}\n"


def test_the_shell_completes_commands_and_options() -> None:
    def complete(words: str, at: int) -> str:
        environment = {"_PHYTOFLOW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(at)}
        code = "from phytoflow.cli.main import app; app(prog_name='phytoflow')"
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment).stdout

    assert complete("phytoflow pre", 1).split() == ["predict"]
    assert "--external-data" in complete("phytoflow run --ext", 2)
    assert "--max_queue_size" in complete("phytoflow serve --max_q", 2)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["run", "--set", "training.cached_vews=2"], 2, "Did you mean training.cached_views?"),
        (["run", "--data", "no/such/folder"], 3, "no/such/folder"),
        (["run", "--external-data", "no/such/field"], 3, "no/such/field"),
        (["run", "--config", "none.yaml"], 2, "none.yaml"),
        (["serve", "--bundle", "no/such/bundle"], 5, "no/such/bundle"),
        (["predict", "x.jpg"], 2, "--url or --bundle"),
        (["predict", "x.jpg", "--bundle", "no/such/bundle"], 7, "no bundle at"),
        (["predict", "x.jpg", "--url", "http://127.0.0.1:9"], 11, "127.0.0.1:9"),
        (["evaluate", "--bundle", "no/such/bundle", "--data", ".", "--output", "o"], 7, "no bundle at"),
        (["data", "download", "roses", "x"], 2, "plantvillage"),
        (["data", "check", "no/such/folder"], 3, "no/such/folder"),
        (["unknown"], 2, "no command 'unknown'"),
        (["pipelin"], 2, "Did you mean pipeline?"),
    ],
)
def test_what_is_wrong_is_said_with_the_right_exit_code(
    arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    if arguments[0] == "run":
        arguments = [*arguments, "--output", str(tmp_path / "out")]
    if arguments[0] == "predict":
        (tmp_path / "x.jpg").write_bytes(pictures()[0].content)
        arguments = [a.replace("x.jpg", str(tmp_path / "x.jpg")) for a in arguments]
    done = phytoflow(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_predict_answers_each_photo_and_names_the_bad_one(bundle: Path, photos: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"not a photo")
    done = phytoflow("predict", photos, "--bundle", bundle, "--json")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 3 and "broken.jpg" in done.stderr
    assert len(answers) == len(pictures())
    assert all(set(a["labels"]) <= set(CLASSES) and a["scores"] == sorted(a["scores"])[::-1] for a in answers)


def test_evaluate_writes_figures_of_a_folder(bundle: Path, photos: Path, tmp_path: Path) -> None:
    done = phytoflow("evaluate", "--bundle", bundle, "--data", photos, "--output", tmp_path / "e")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((tmp_path / "e" / "metrics.json").read_text())
    assert metrics["photos"] == len(pictures()) and 0 <= metrics["macro_f1"] <= 1
    assert (tmp_path / "e" / "report.html").stat().st_size > 10_000


def test_evaluate_says_what_is_lost_elsewhere(bundle: Path, photos: Path, tmp_path: Path) -> None:
    for folder in sorted(photos.iterdir()):
        (tmp_path / "there" / folder.name.upper()).parent.mkdir(exist_ok=True)
        (tmp_path / "there" / folder.name.upper()).symlink_to(folder)
    command = ["evaluate", "--bundle", bundle, "--data", photos, "--output", tmp_path / "e"]
    done = phytoflow(*command, "--external-data", tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert f"On {len(pictures())} photos of “there” it is right on" in done.stdout
    metrics = json.loads((tmp_path / "e" / "metrics.json").read_text())
    assert metrics["external"]["accuracy"] == metrics["accuracy"]
    (tmp_path / "dogs" / "poodle").mkdir(parents=True)
    (tmp_path / "dogs" / "poodle" / "1.jpg").write_bytes(b"")
    refused = phytoflow(*command, "--external-data", tmp_path / "dogs")
    assert refused.returncode == 3 and "(poodle)" in refused.stderr


def test_data_sample_then_check(tmp_path: Path) -> None:
    made = phytoflow("data", "sample", tmp_path / "leaves", "--photos-per-class", 4)
    assert made.returncode == 0 and len(list((tmp_path / "leaves").rglob("*.jpg"))) == 20
    done = phytoflow("data", "check", tmp_path / "leaves", "--output", tmp_path / "found")
    assert done.returncode == 0 and "20 of 20 files are used, in 5 classes" in done.stdout
    assert (tmp_path / "found" / "data.html").exists()


def test_photos_are_checked_wherever_a_run_reads_them(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path / "leaves", photos_per_class=4, seed=0)
    packed = shutil.make_archive(str(tmp_path / "leaves"), "zip", tmp_path / "leaves")
    with serve(Behaviour(files={"/leaves.zip": Path(packed).read_bytes()})) as server:
        done = phytoflow("data", "check", f"{server.url}/leaves.zip")
    assert done.returncode == 0 and "20 of 20 files are used, in 5 classes" in done.stdout


def test_a_step_that_fails_ends_the_run_in_its_own_words(tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path / "photos", photos_per_class=4, seed=0)
    for folder in sorted((tmp_path / "photos").iterdir())[1:]:
        folder.rename(tmp_path / folder.name)
    done = phytoflow("run", "--data", tmp_path / "photos", "--output", tmp_path / "out")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "preprocess: " in done.stderr and "What to do:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "bundle").exists()
