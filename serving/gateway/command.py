"""The commands of ``python -m serving.gateway``; `phytoflow gateway` is the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from phytoflow.errors import ConfigError

if TYPE_CHECKING:  # the commands import what they need: `phytoflow --help` reads this file, too
    from serving.gateway.log.database import Database
    from serving.gateway.settings import GatewaySettings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="The API gateway and console.")
keys = typer.Typer(no_args_is_help=True, help="API keys.")
app.add_typer(keys, name="keys")

_R = TypeVar("_R")
ConfigOption = Annotated[Path | None, typer.Option(help="YAML file of the gateway's settings.")]
DirectoryOption = Annotated[Path, typer.Option(help="Folder of the gateway.")]
ScopesOption = Annotated[
    str, typer.Option(help="Scopes, separated by commas: predict, feedback, review, admin.")
]
UserOption = Annotated[str, typer.Option(help="Name of the user.")]
DEFAULT_DIRECTORY = Path("stack")  # that of `phytoflow stack`


@app.command()
def serve(config: ConfigOption = None, directory: DirectoryOption = DEFAULT_DIRECTORY) -> None:
    """Serve the API and the console until stopped."""
    from serving.gateway.server import serve as run

    _log_plainly()
    run(_settings(config, directory))


@app.command()
def worker(
    config: ConfigOption = None,
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    count: Annotated[int, typer.Option(min=1, help="Tasks worked on at once.")] = 1,
) -> None:
    """Work on asynchronous predictions until stopped; the gateway's own process need not."""
    from serving.gateway.worker_process import run_worker

    _log_plainly()
    settings = _settings(config, directory)
    tasks = settings.tasks.model_copy(update={"workers": count})
    run_worker(settings.model_copy(update={"tasks": tasks}))


@app.command()
def migrate(
    config: ConfigOption = None,
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    revision: Annotated[str, typer.Option(help="Revision to go to, forwards or backwards.")] = "head",
) -> None:
    """Bring the database's tables to a revision."""
    settings = _settings(config, directory)

    async def run(database: Database) -> str | None:
        await database.migrate(revision)
        return await database.revision()

    typer.echo(f"the database is at revision {_with_database(settings, run)}")


@app.command()
def token(
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    user: UserOption = "me",
    scopes: ScopesOption = "predict,feedback",
    days: Annotated[int, typer.Option(min=1, max=3650, help="Lifetime in days.")] = 30,
) -> None:
    """Print a token of the local issuer."""
    from serving.gateway.auth.local_issuer import LocalIssuer

    typer.echo(LocalIssuer.open(directory).token(user, _scopes(scopes), seconds=days * 86400))


@app.command()
def link(
    config: ConfigOption = None,
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    user: UserOption = "me",
    scopes: ScopesOption = "predict,feedback,review,admin",
) -> None:
    """Print a link that signs a browser of this machine in to the console, once, within ten minutes."""
    from serving.gateway.auth.local_issuer import LocalIssuer

    settings = _settings(config, directory)
    code = LocalIssuer.open(settings.directory).one_time_code(user, _scopes(scopes))
    base = settings.server.public_url or f"http://127.0.0.1:{settings.server.port}"
    typer.echo(f"{base.rstrip('/')}/sign-in/link?code={code}")


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    config: ConfigOption = None,
    directory: DirectoryOption = DEFAULT_DIRECTORY,
    user: UserOption = "me",
    scopes: ScopesOption = "predict",
    days: Annotated[
        int | None, typer.Option(min=1, help="Lifetime in days; without it, until revoked.")
    ] = None,
) -> None:
    """Make an API key of a local user and print it, once."""
    from serving.gateway.auth.keys import ApiKeys
    from serving.gateway.auth.local_issuer import LocalIssuer
    from serving.gateway.auth.principal import user_id_of

    settings = _settings(config, directory)
    user_id, chosen = user_id_of(LocalIssuer.open(settings.directory).issuer, user), _scopes(scopes)

    async def run(database: Database) -> str:
        await _migrated(database)
        return (await ApiKeys(database).create(user_id, user, name, chosen, days))[1]

    typer.echo(_with_database(settings, run))


@keys.command("list")
def list_keys(config: ConfigOption = None, directory: DirectoryOption = DEFAULT_DIRECTORY) -> None:
    """List all API keys."""
    from serving.gateway.auth.keys import ApiKeys

    async def run(database: Database) -> list[str]:
        await _migrated(database)
        rows = await ApiKeys(database).list()
        state = ("revoked" if row.revoked else "valid" for row in rows)
        return [
            f"{row.id}  {how:8} {row.created:%Y-%m-%d}  {row.user_name:20} {row.scopes:20} {row.name}"
            for row, how in zip(rows, state, strict=True)
        ]

    typer.echo("\n".join(_with_database(_settings(config, directory), run)) or "there are no API keys")


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Id of the key, as `list` shows it.")],
    config: ConfigOption = None,
    directory: DirectoryOption = DEFAULT_DIRECTORY,
) -> None:
    """Revoke an API key."""
    from serving.gateway.auth.keys import ApiKeys

    async def run(database: Database) -> bool:
        await _migrated(database)
        return await ApiKeys(database).revoke(key_id)

    if not _with_database(_settings(config, directory), run):
        raise ConfigError(f"there is no valid key {key_id!r}", remedy="see `phytoflow gateway keys list`")
    typer.echo(f"key {key_id} is revoked")


async def _migrated(database: Database) -> None:
    if database.is_sqlite:
        await database.migrate()


def _log_plainly() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _settings(config: Path | None, directory: Path) -> GatewaySettings:
    """The settings of ``config``; without it, those that lie in the directory, as of a stack."""
    from serving.gateway.settings import load_gateway_settings

    found = directory / "gateway.yaml"
    if config is None and found.exists():
        config = found
    settings = load_gateway_settings(config)
    return settings if config else settings.model_copy(update={"directory": directory})


def _scopes(text: str) -> list[str]:
    from serving.gateway.auth.principal import SCOPES

    scopes = [word for word in text.replace(",", " ").split() if word]
    if unknown := [scope for scope in scopes if scope not in SCOPES]:
        raise ConfigError(f"unknown scope {unknown[0]!r}", remedy=f"choose of {', '.join(SCOPES)}")
    return scopes


def _with_database(settings: GatewaySettings, work: Callable[[Database], Awaitable[_R]]) -> _R:
    from serving.gateway.log.database import Database

    async def run() -> _R:
        database = Database.of(settings)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())
