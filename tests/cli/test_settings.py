"""`phytoflow settings`: a list that fits a terminal, and a file that `--config` reads."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.config.loader import load_settings
from phytoflow.config.reference import known_settings
from phytoflow.config.settings import RunSettings
from phytoflow.errors import ConfigError


def output(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["settings", *arguments], env={"COLUMNS": "80"})
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("form", ["text", "yaml"])
def test_every_setting_is_there_within_eighty_columns(form: str) -> None:
    text = output("--format", form)
    assert max(map(len, text.splitlines())) <= 80
    for key in known_settings():
        assert key.rpartition(".")[2] in text
    unwrapped = re.sub(r"\n[ #]+", " ", text)
    assert "none | light | outdoor" in unwrapped and "at least 0" in unwrapped


def test_the_file_sets_every_default(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(output("--format", "yaml"))
    assert load_settings(tmp_path / "settings.yaml") == RunSettings()


def test_the_file_keeps_what_was_chosen(tmp_path: Path) -> None:
    words = ["preset=accurate", "data.groups_csv=Löwen zahn/#1.csv", "deploy.tolerations=[gpu, '1']"]
    text = output("--format", "yaml", *(word for text in words for word in ("--set", text)))
    (tmp_path / "settings.yaml").write_text(text)
    assert load_settings(tmp_path / "settings.yaml") == load_settings(None, words)


def test_one_section_alone() -> None:
    text = output("gate", "--set", "gate.min_accuracy=0.5")
    assert "gate.min_accuracy = 0.5  (default: 0.8)" in text and "training." not in text
    refused = CliRunner().invoke(app, ["settings", "traning"])
    assert isinstance(refused.exception, ConfigError) and "training" in refused.exception.remedy
