"""`phytoflow runs`: training runs as MLflow has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phytoflow.cli.options import ConfigOption, SetOption

if TYPE_CHECKING:
    from phytoflow.tracking.settings import TrackingSettings

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

    tracking = load_settings(config, settings or []).tracking
    place = _place(tracking, output)
    records = read_runs(tracking, output, runs or [])
    if len(records) < 2:
        what = f"there are fewer than two runs to compare in {place}"
        raise ConfigError(what, remedy="name two, train again, or say where with --output or tracking.uri")
    comparison = compare_runs(records)
    typer.echo("\n".join(describe_runs(comparison)))
    if html:
        write_runs_page(comparison, html)
        typer.echo(f"\nreport: {html}")


def _place(tracking: TrackingSettings, output: Path) -> str:
    """Where runs are looked for; raises ConfigError for a folder without a database, which would be made."""
    from phytoflow.errors import ConfigError
    from phytoflow.tracking.links import without_secret
    from phytoflow.tracking.mlflow_client import named_uri
    from phytoflow.tracking.store_uri import DATABASE

    uri = named_uri(tracking)
    if not uri and not (output / DATABASE).is_file():
        what = f"the folder {output} has no {DATABASE}"
        raise ConfigError(what, remedy="give the folder of a run with --output, or set tracking.uri")
    return f"experiment {tracking.experiment} of {without_secret(uri) if uri else output / DATABASE}"
