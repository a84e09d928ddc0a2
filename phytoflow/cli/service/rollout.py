"""`phytoflow rollout`: replace the model that answers, step by step, through the gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from phytoflow.client.gateway import GatewayClient
from phytoflow.config.loader import validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.outer_packages import make_importable
from phytoflow.rollout.settings import RolloutSettings

app = typer.Typer(
    no_args_is_help=True, help="Compare a challenger with the model that answers, and promote it."
)
UrlOption = Annotated[str, typer.Option(help="Address of the gateway.")]
TokenOption = Annotated[
    Path | None, typer.Option(help="File with a token of scope admin; else one of the local issuer is made.")
]
DirectoryOption = Annotated[Path, typer.Option(help="Folder of the gateway, for its local issuer.")]
_URL = "http://127.0.0.1:8000"
_DIRECTORY = Path("stack")


@app.command()
def start(
    challenger: Annotated[str, typer.Argument(help="URL of the challenger's predictor.")],
    config: Annotated[
        Path | None,
        typer.Option(help="YAML file with thresholds, the keys of the gateway's section rollout."),
    ] = None,
    url: UrlOption = _URL,
    token_file: TokenOption = None,
    directory: DirectoryOption = _DIRECTORY,
) -> None:
    """Begin a rollout: first copies of traffic, then a growing share of users."""
    body: dict[str, Any] = {"challenger": challenger}
    if config:
        chosen = validate(RolloutSettings, SettingsOverrides.read(config).tree)
        body["settings"] = chosen.model_dump(mode="json")
    _show(_call("POST", "", url, token_file, directory, body))


@app.command()
def status(
    url: UrlOption = _URL, token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Say how far the rollout is, and what it waits for."""
    _show(_call("GET", "/current", url, token_file, directory))


@app.command()
def promote(
    url: UrlOption = _URL, token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Go to the next stage now; your name is recorded with the decision."""
    _show(_call("POST", "/current/promote", url, token_file, directory))


@app.command()
def abort(
    url: UrlOption = _URL, token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Give all users back to the model that answered before."""
    _show(_call("POST", "/current/abort", url, token_file, directory))


@app.command()
def replay(
    url: UrlOption = _URL, token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Recompute each decision from the log; exit code 1 if one differs."""
    decisions = _call("GET", "/current/replay", url, token_file, directory)
    for one in decisions:
        mark = "same     " if one["same"] else "DIFFERENT"
        typer.echo(f"{one['created']}  {one['stage']} {one['percent']}%  {mark}  {one['recorded']}")
        if not one["same"]:
            typer.echo(f"    today: {one['recomputed']}")
    raise typer.Exit(0 if all(one["same"] for one in decisions) else 1)


def _call(
    method: str, path: str, url: str, token_file: Path | None, directory: Path, body: Any = None
) -> Any:
    with GatewayClient(url, _token(token_file, directory), token_file=token_file or "", retries=0) as client:
        return client.request(method, f"/v1/rollouts{path}", body)


def _token(token_file: Path | None, directory: Path) -> str:
    if token_file:
        return ""  # the client reads it
    if not directory.is_dir():
        raise ConfigError(f"no gateway's folder at {directory}", remedy="give --token-file, or --directory")
    make_importable("serving")
    from serving.gateway.auth.local_issuer import LocalIssuer

    return LocalIssuer.open(directory).token("phytoflow rollout", ["review", "admin"])


def _show(state: dict[str, Any]) -> None:
    evidence = state["evidence"]
    typer.echo(f"{state['challenger']} instead of {state['champion']}")
    typer.echo(f"stage: {state['stage']}, {state['percent']}% of the users, since {state['stage_since']}")
    typer.echo(f"next: {state['next']}")
    typer.echo(
        f"{evidence['pairs']} photos answered by both, {evidence['disagreements']} with another class,"
        f" {evidence['slow']} slow, {evidence['failures']} failed"
    )
    typer.echo(
        f"labelled disagreements: {evidence['challenger_right']} to the challenger,"
        f" {evidence['champion_right']} to the champion"
    )
    for event in state["events"]:
        decided = f"{event['action']} by {event['user_name'] or 'the gateway'}. {event['reason']}"
        typer.echo(f"  {event['created']}  {event['stage']} {event['percent']}%: {decided}")
