"""`phytoflow data`: draw, download and check photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Draw, download and check photographs.")


@app.command()
def sample(
    directory: Annotated[Path, typer.Argument(help="Folder to make.")],
    photos_per_class: Annotated[int, typer.Option(min=4, help="Photos of each class.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same leaves.")] = 0,
) -> None:
    """Draw leaves, healthy and diseased, to try everything without photos of your own."""
    from phytoflow.data.synthetic.dataset import make_synthetic_dataset

    make_synthetic_dataset(directory, photos_per_class=photos_per_class, seed=seed)
    typer.echo(f"drew {photos_per_class} photos a class in {directory}")


@app.command()
def download(
    name: Annotated[str, typer.Argument(help="plantvillage or dandelion.")],
    directory: Annotated[Path, typer.Argument(help="Folder to make.")],
    base_url: Annotated[str, typer.Option(help="A mirror to download from instead.")] = "",
) -> None:
    """Download a public set of photographs; interrupted, the same command resumes."""
    from phytoflow.data.sources.public_datasets import PUBLIC_DATASETS, download_public_dataset

    if name not in PUBLIC_DATASETS:
        raise ConfigError(f"unknown set {name!r}", remedy=f"there are {', '.join(PUBLIC_DATASETS)}")
    download_public_dataset(name, directory, base_url or None)
    typer.echo(f"downloaded {name} to {directory}")


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="Photos in class folders, wherever `run --data` reads them.")],
    output: Annotated[Path | None, typer.Option(help="Also write the table and the page there.")] = None,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Scan and validate photographs and print what was found; nothing is changed."""
    from phytoflow.config.loader import load_settings
    from phytoflow.data.ingest.inspect import check as check_photos
    from phytoflow.data.prepare import write_findings
    from phytoflow.data.sources.resolve import localise_source
    from phytoflow.storage.atomic import atomic_folder
    from phytoflow.storage.temporary import temporary_folder

    chosen = load_settings(config, settings or [])
    with temporary_folder() as work:
        checked = check_photos(localise_source(source, work, chosen.seed), chosen.data, chosen.seed)
        typer.echo("\n".join(checked.findings.lines()))
        if output:
            with atomic_folder(output) as folder:
                write_findings(checked, chosen.seed, chosen.data, folder)
            typer.echo(f"table and page: {output}")


@app.command()
def collect(
    feedback: Annotated[str, typer.Option(help="URL of the gateway.")],
    output: Annotated[str, typer.Option(help="Data set to add to: class folders, old or new; also s3://.")],
    token_file: Annotated[Path, typer.Option(help="File with a token or API key of scope `review`.")],
    bundle: Annotated[
        str, typer.Option(help="Bundle of the model in use; photos it was tested on are left out.")
    ] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Add photos whose class reviewers accepted to a data set; run again, it brings the set up to date."""
    from phytoflow.bundle.bundle import Bundle
    from phytoflow.client.gateway import GatewayClient
    from phytoflow.config.loader import load_settings
    from phytoflow.data.feedback.collect import Collector
    from phytoflow.storage.temporary import temporary_folder
    from phytoflow.storage.uri import fetch_folder, join

    chosen = load_settings(config, settings or []).data
    with temporary_folder() as work, GatewayClient(feedback, token_file=token_file) as client:
        held_out = None
        if bundle:
            held_out = Bundle.load(fetch_folder(bundle, work / "bundle"), verify=False).test_photos()
        else:
            typer.echo("without --bundle, photos that the model was tested on are not left out", err=True)
        outcome = Collector(client, feedback, output, held_out, chosen).collect()
    typer.echo("\n".join(outcome.lines()))
    typer.echo(
        f"groups: {join(output, 'groups.csv')}; where each photo comes from: {join(output, 'provenance.csv')}"
    )


@app.command()
def version(
    source: Annotated[str, typer.Argument(help="Photos, as in `run --data`.")],
    recorded: Annotated[
        str, typer.Option(help="File or s3:// object of `record-version`: prints JSON with `changed`.")
    ] = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Print a hash that changes when photos are added, removed or altered, or their labels or groups are."""
    from phytoflow.config.loader import load_settings
    from phytoflow.data.sources.recorded_version import read_recorded_version
    from phytoflow.data.sources.resolve import data_version

    current = data_version(source, load_settings(config, settings or []).data)
    if not recorded:
        typer.echo(current)
        return
    known = read_recorded_version(recorded)
    typer.echo(json.dumps({"version": current, "recorded": known, "changed": current != known}))


@app.command("record-version")
def record_version_command(
    version: Annotated[str, typer.Argument(help="What `data version` printed before the training.")],
    to: Annotated[str, typer.Argument(help="File or s3:// object.")],
) -> None:
    """Record the version of the photos that a model was trained on."""
    from phytoflow.data.sources.recorded_version import record_version

    record_version(version, to)
