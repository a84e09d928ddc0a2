"""The `phytoflow` command: the composition root, and the one edge where errors become exit codes."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from phytoflow import __version__
from phytoflow.console import run_command
from phytoflow.errors import ConfigError, nearest_name

COMMANDS = {
    "From photos to predictions": {
        "run": "run:run",
        "predict": "predict:predict",
        "explain": "predict:explain",
        "serve": "serve:serve",
        "stop": "serve:stop",
    },
    "Photos and settings": {"data": "data:app", "settings": "settings:settings"},
    "Better settings": {"tune": "tune:tune"},
    "One step alone": {
        "train": "steps:train",
        "export": "steps:export",
        "evaluate": "steps:evaluate",
        "compare": "steps:compare",
        "runs": "watching.runs:app",
    },
    "The whole service": {
        "stack": "service.stack:app",
        "gateway": "service.gateway:app",
        "monitor": "drift.monitor:monitor",
        "dashboards": "watching.dashboards:dashboards",
        "watch": "watching.watch:watch",
        "rollout": "service.rollout:app",
    },
    "On a cluster": {
        "pipeline": "pipeline:app",
        "deploy": "deploy:deploy",
        "status": "deploy:status",
        "rollback": "deploy:rollback",
    },
}
"""Where each command is in ``phytoflow.cli``, by the heading that --help shows it under.

They stand in the order of a newcomer's day. A command is imported when it is called: `--version`, shell
completion and the first line of `run` do not wait for what others need.
"""
_PANELS = {name: panel for panel, commands in COMMANDS.items() for name in commands}
_PLACES = {name: place for commands in COMMANDS.values() for name, place in commands.items()}


class _Commands(TyperGroup):
    """Imports the commands of ``COMMANDS`` as they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_PLACES)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in _PLACES:
            near = nearest_name(args[0], _PLACES)
            remedy = f"Did you mean {near}?" if near else "`phytoflow --help` lists all"
            raise ConfigError(f"there is no command {args[0]!r}", remedy=remedy)
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in _PLACES:
            return None
        module, _, name = _PLACES[cmd_name].partition(":")
        command = getattr(importlib.import_module(f"phytoflow.cli.{module}"), name)
        return _build(cmd_name, command)


def _build(name: str, command: Callable[..., Any] | typer.Typer) -> Any:
    if isinstance(command, typer.Typer):
        built: Any = typer.main.get_group(command)
    else:
        single = typer.Typer(add_completion=False)
        # Options of the predictor are spelt with underscores; the dashes of other commands do as well.
        dashes = {"token_normalize_func": lambda word: word.replace("-", "_")} if name == "serve" else None
        single.command(name, context_settings=dashes)(command)
        built = typer.main.get_command(single)
    built.name, built.rich_help_panel = name, _PANELS[name]
    return built


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"phytoflow {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """From a folder of leaf photographs to an answering predictor."""


def main() -> None:
    """Runs the command; an error a user is meant to read is shown as such, without a traceback."""
    run_command(app)


if __name__ == "__main__":
    main()
