from pathlib import Path

from typer.testing import CliRunner

from benchmarks.training.search import HEADER, row, tune_command
from phytoflow.cli.main import app


def test_the_command_is_one_that_phytoflow_knows(tmp_path: Path) -> None:
    words = tune_command(tmp_path / "photos", tmp_path, "full", 60)[3:]
    done = CliRunner().invoke(app, words)
    assert "photos" in str(done.exception) and done.exit_code != 2  # 2: an option is not known
    assert "--seconds" in words and "--seconds" not in tune_command(tmp_path, tmp_path, "quick", 0)


def test_a_row_holds_what_the_search_printed_but_for_the_files() -> None:
    printed = "12 trials, best: trial 7\non 80 test photos: accuracy 99.0%\nsettings: a/best.yaml\n"
    text = row("apple", 90, printed)
    assert text == "| apple | 1.5 | 12 trials, best: trial 7; on 80 test photos: accuracy 99.0% |"
    assert text.count("|") == HEADER.splitlines()[0].count("|")
