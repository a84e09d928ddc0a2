"""`phytoflow runs`: training runs as MLflow has them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from phytoflow.cli.options import ConfigOption, SetOption

app = typer.Typer(no_args_is_help=True, help="Training runs, from MLflow.")


@app.callback()
def _runs() -> None:
    """Training runs, from MLflow."""


@app.command()
def compare(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Ids, beginnings of ids, or names; the two newest if none.")
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of a run, whose MLflow database is read.")] = Path(
        "out"
    ),
    html: Annotated[Path | None, typer.Option(help="HTML file to write, with the curves.")] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Show runs side by side: settings that differ, figures with intervals, classes, cost, curves."""
    from phytoflow.config.loader import load_settings
    from phytoflow.errors import ConfigError
    from phytoflow.tracking.compare.comparison import compare_runs
    from phytoflow.tracking.compare.page import write_runs_page
    from phytoflow.tracking.compare.text import describe_runs
    from phytoflow.tracking.runs import read_runs

    records = read_runs(load_settings(config, settings or []).tracking, output, runs or [])
    if len(records) < 2:
        raise ConfigError("there are fewer than two runs to compare", remedy="name two, or train again")
    comparison = compare_runs(records)
    typer.echo("\n".join(describe_runs(comparison)))
    if html:
        write_runs_page(comparison, html)
        typer.echo(f"\nreport: {html}")
