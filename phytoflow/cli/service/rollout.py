"""`phytoflow rollout`: replace the model that answers, step by step, through the gateway."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.client.gateway import GatewayClient
from phytoflow.config.loader import load_settings, validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.outer_packages import make_importable
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.stack.layout import Layout
from phytoflow.stack.models import read_plan
from phytoflow.stack.renewal import Renewal

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
    challenger: Annotated[
        str,
        typer.Argument(
            help="URL of the challenger's predictor, with /v2/models/NAME if its model has another name."
        ),
    ],
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
    if chosen := _thresholds(config):
        body["settings"] = chosen.model_dump(mode="json")
    _show(_call("POST", "", url, token_file, directory, body))


@app.command("run")
def run_rollout(
    bundle: Annotated[Path, typer.Argument(help="Folder of the challenger's bundle.")],
    thresholds: Annotated[
        Path | None, typer.Option(help="YAML file with the keys of the gateway's section rollout.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Begin anew, although a rollout of this bundle has ended.")
    ] = False,
    directory: DirectoryOption = _DIRECTORY,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Roll a bundle out on a stack, and wait for the end; if it is promoted, the stack keeps it.

    The stack serves the bundle as challenger. If the gateway promotes it, it becomes the champion of the
    stack and of the registry (tracking.*). If not, the exit code is 15, and everything is as before. Killed,
    the same command goes on from there; once the rollout has ended, it says how.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    layout = Layout(directory.resolve())
    with GatewayClient(read_plan(layout).url, _token(None, layout.directory)) as client:
        tracking = load_settings(config, settings or []).tracking
        Renewal(layout, bundle, client, tracking, _thresholds(thresholds), again=again).run()
    typer.echo(f"{bundle} is the champion")


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


def _thresholds(file: Path | None) -> RolloutSettings | None:
    return validate(RolloutSettings, SettingsOverrides.read(file).tree) if file else None


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
