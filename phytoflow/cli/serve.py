"""`phytoflow serve` runs the predictor in the foreground; `phytoflow stop` ends that of a run."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from phytoflow.deploy.local.process import PREDICTOR_MODULE
from phytoflow.errors import ConfigError
from phytoflow.outer_packages import environment_for, make_importable


def serve(**options: Any) -> None:
    """Answer with a bundle, in the foreground, until stopped (Ctrl-C or SIGTERM).

    The options are those of the predictor. They may be spelt with dashes instead of underscores.
    """
    command = [sys.executable, "-P", "-m", PREDICTOR_MODULE]  # -P: nothing is imported from the user's folder
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    os.execve(sys.executable, command, environment_for("serving"))  # the server itself gets the signals


def stop(output: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("out")) -> None:
    """Stop the predictor that `phytoflow run` left running."""
    from phytoflow.deploy.local.publisher import stop as stop_process

    stopped = stop_process(output / "predictor.json")
    typer.echo("stopped" if stopped else "no predictor of this run is running")


def _parameters() -> Iterator[inspect.Parameter]:
    make_importable("serving")
    from serving.predictor.options import option_references

    for option in option_references():
        kind: Any = Literal[option.choices] if option.choices else option.type
        shown = typer.Option(
            f"--{option.name}",
            help=_with_choices(option.help, option.choices),
            metavar="N" if option.type is int else "TEXT",  # short: 80 columns must hold the longest name
            min=0 if option.type is int else None,
        )
        default = inspect.Parameter.empty if option.default is None else option.default
        kind = Annotated[kind, shown]
        yield inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _with_choices(text: str, choices: tuple[str, ...]) -> str:
    """The help of an option, with its choices unless it names them."""
    named = all(choice in text for choice in choices)
    return text if named else f"{text} One of {', '.join(choices)}."


# The command has the predictor's options. Without a predictor it has none, and `serve` reports that.
with contextlib.suppress(ConfigError):
    serve.__signature__ = inspect.Signature(list(_parameters()))  # type: ignore[attr-defined]
