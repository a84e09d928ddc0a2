"""`phytoflow serve` takes every option of the predictor, in its spelling."""

from __future__ import annotations

import os
from typing import Any

import pytest
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.deploy.local.process import PREDICTOR_MODULE
from serving.predictor.options import Options, option_references, read_options


def started(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], dict[str, str]]:
    """Command and environment that would replace this process."""
    calls: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda path, command, env: calls.append((command, env)))
    done = CliRunner().invoke(app, ["serve", *arguments])
    assert done.exit_code == 0, done.output
    return calls[0]


def test_every_option_reaches_the_predictor(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {}
    for option in option_references():
        other = option.choices[-1] if option.choices else "x" if option.type is str else 7
        given[option.name] = other
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    command, environment = started(words, monkeypatch)
    arguments = command[command.index(PREDICTOR_MODULE) + 1 :]
    assert read_options(arguments) == Options(**given)  # type: ignore[arg-type]
    assert environment["PYTHONPATH"].split(os.pathsep)[0]


def test_dashes_do_as_well_as_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    command, _ = started(["--bundle", "b", "--http-port", "81", "--max_queue_size", "9"], monkeypatch)
    options = read_options(command[command.index(PREDICTOR_MODULE) + 1 :])
    assert (options.bundle, options.http_port, options.max_queue_size) == ("b", 81, 9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--bundle", "b", "--runtime", "cuda"], "--runtime"),
        (["--bundle", "b", "--http_port", "-1"], "--http_port"),
        ([], "--bundle"),
        (["--bundle", "b", "--lanes", "2"], "--lanes"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_starts(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(app, ["serve", *arguments], env={"COLUMNS": "120"})
    assert done.exit_code == 2 and words in done.output


def test_help_names_every_option_with_default_and_choices() -> None:
    text = CliRunner().invoke(app, ["serve", "-h"], env={"COLUMNS": "80"}).output
    for option in option_references():
        assert f"--{option.name} " in text
        assert option.default in (None, "") or str(option.default) in text
        assert all(choice in text for choice in option.choices)
