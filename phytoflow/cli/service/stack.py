"""`phytoflow stack`: the whole service on one machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from phytoflow.errors import ConfigError
from phytoflow.stack import backup as archives
from phytoflow.stack import control
from phytoflow.stack.layout import DEFAULT_DIRECTORY, Layout
from phytoflow.stack.plan import OPTIONAL

app = typer.Typer(
    no_args_is_help=True, help="Gateway, console, predictor and what they need, on this machine."
)
DirectoryOption = Annotated[Path, typer.Option(help="Folder of the stack.")]


@app.command()
def up(
    bundle: Annotated[
        str, typer.Option(help="Folder or URI of a bundle; that of the last start, or out/bundle.")
    ] = "",
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway and the console.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address of the gateway; 0.0.0.0 opens it to others.")
    ] = "127.0.0.1",
    without: Annotated[
        list[str] | None, typer.Option(help=f"Leave out {', '.join(OPTIONAL)}; repeatable.")
    ] = None,
) -> None:
    """Start everything, wait until it answers, and print a link that signs you in to the console."""
    from phytoflow.outer_packages import make_importable

    make_importable("serving")
    layout = _layout(directory)
    plan = control.start(
        layout,
        bundle=bundle,
        host=host,
        port=port,
        without=tuple(without or ()),
        on_change=_show_progress,
    )
    typer.echo(f"\nThe console: {_link(layout, plan.url)}")
    typer.echo("             (this link signs a browser in, once, within ten minutes)")
    typer.echo(f"The API:     {plan.url}/v1, documented at {plan.url}/docs")
    typer.echo(f"A token:     phytoflow gateway token --directory {directory}")
    typer.echo(f"Stop it:     phytoflow stack down --directory {directory}")
    if missing := control.read_state(layout).missing:
        typer.echo(f"Not yet up:  {', '.join(missing)}; see phytoflow stack status --directory {directory}")


@app.command()
def status(directory: DirectoryOption = DEFAULT_DIRECTORY) -> None:
    """Say what runs; exit code 1 if not all of it does."""
    state = control.read_state(_layout(directory))
    if state.pid is None:
        typer.echo("the stack is down")
        raise typer.Exit(1)
    for name, one in state.services.items():
        restarts = f", restarted {one['restarts']} times" if one["restarts"] else ""
        problem = f": {one['problem']}" if one["problem"] else ""
        typer.echo(f"{name:12} {one['status']:9} pid {one['pid'] or '-'}{restarts}{problem}")
    raise typer.Exit(1 if state.missing else 0)


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="A service, or supervisor.")] = "gateway",
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    lines: Annotated[int, typer.Option(min=1, help="Lines shown.")] = 50,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on showing new lines until Ctrl-C.")
    ] = False,
) -> None:
    """Show the log of a service."""
    log = _layout(directory).log(service)
    if not log.exists():
        known = ", ".join(sorted(path.stem for path in log.parent.glob("*.log"))) or "none yet"
        raise ConfigError(f"there is no log of {service!r}", remedy=f"there are logs of: {known}")
    with log.open(errors="replace") as file:
        typer.echo("".join(file.readlines()[-lines:]), nl=False)
        while follow:
            typer.echo(file.read(), nl=False)
            time.sleep(0.5)


@app.command()
def down(directory: DirectoryOption = DEFAULT_DIRECTORY) -> None:
    """End everything in good order."""
    typer.echo("the stack is down" if control.stop(_layout(directory)) else "the stack was not up")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Archive to write, e.g. stack.tar.gz.")],
    directory: DirectoryOption = DEFAULT_DIRECTORY,
) -> None:
    """Write database, photos, keys and settings to one file; the stack may run."""
    archives.back_up(_layout(directory), file)
    typer.echo(f"written to {file}; it holds keys and passwords: keep it safe")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="Archive that `backup` wrote.")],
    directory: DirectoryOption = DEFAULT_DIRECTORY,
) -> None:
    """Take a backup back into an empty folder, or over a stack that is down."""
    archives.restore(_layout(directory), file)
    typer.echo(f"restored to {directory}; next: phytoflow stack up --directory {directory}")


@app.command()
def secrets(
    directory: Annotated[Path, typer.Argument(help="Folder for the files, e.g. secrets.")] = Path("secrets"),
) -> None:
    """Write passwords and keys for compose.yaml and for the gateway on a cluster; existing ones are kept."""
    from phytoflow.outer_packages import make_importable
    from phytoflow.stack import secret_files

    make_importable("serving")
    from serving.gateway.auth.local_issuer import LocalIssuer
    from serving.gateway.auth.sessions import read_secret

    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    secret_files.write_passwords(directory)
    LocalIssuer.open(directory)
    read_secret(directory)
    secret_files.protect(directory)
    typer.echo(f"written to {directory}: keep these files out of version control")


def _layout(directory: Path) -> Layout:
    return Layout(directory.resolve())


def _link(layout: Layout, url: str) -> str:
    from serving.gateway.auth.local_issuer import LocalIssuer

    code = LocalIssuer.open(layout.directory).one_time_code("me", ["predict", "feedback", "review", "admin"])
    return f"{url}/sign-in/link?code={code}"


def _show_progress(services: dict[str, dict[str, Any]]) -> None:
    if services:
        typer.echo("  ".join(f"{name}: {one['status']}" for name, one in services.items()))
