"""The `phytoflow` command: the composition root, and the one edge where errors become exit codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from phytoflow import __version__
from phytoflow.cli import data, pipeline
from phytoflow.cli.deploy import deploy, rollback, status
from phytoflow.cli.predict import explain, predict
from phytoflow.cli.run import run
from phytoflow.cli.serve import serve_with_options, stop
from phytoflow.cli.settings import settings
from phytoflow.cli.steps import compare, evaluate, export, train
from phytoflow.console import run_command


def serve() -> None:
    """Answer with a bundle, in the foreground, until stopped (Ctrl-C or SIGTERM)."""


COMMANDS: dict[str, dict[str, Callable[..., Any] | typer.Typer]] = {
    "From photos to predictions": {
        "run": run,
        "predict": predict,
        "explain": explain,
        "serve": serve,
        "stop": stop,
    },
    "Photos and settings": {"data": data.app, "settings": settings},
    "One step alone": {"train": train, "export": export, "evaluate": evaluate, "compare": compare},
    "On a cluster": {"pipeline": pipeline.app, "deploy": deploy, "status": status, "rollback": rollback},
}
"""Commands by the heading that --help shows them under, in the order of a newcomer's day."""


class _Commands(TyperGroup):
    """Lists commands as ``COMMANDS`` does; reads the options of `serve` only when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [name for panel in COMMANDS.values() for name in panel]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name != "serve":
            return super().get_command(ctx, cmd_name)
        single = typer.Typer(add_completion=False)
        dashes = {"token_normalize_func": lambda name: name.replace("-", "_")}
        panel = next(iter(COMMANDS))
        single.command("serve", context_settings=dashes, rich_help_panel=panel)(serve_with_options())
        return typer.main.get_command(single)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a folder of leaf photographs to an answering predictor.",
)
for panel, commands in COMMANDS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)


def _print_version(asked: bool) -> None:
    if asked:
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
