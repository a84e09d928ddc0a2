"""`phytoflow rollout`: replace the model that answers, step by step, through the gateway."""

from __future__ import annotations

import logging
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.client.gateway import GatewayClient
from phytoflow.config.loader import load_settings, validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import ConfigError
from phytoflow.outer_packages import make_importable
from phytoflow.renewal.on_stack import StackServers
from phytoflow.renewal.renewal import ModelServers, Renewal
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.stack.layout import Layout
from phytoflow.stack.models import read_plan
from phytoflow.stack.plan import Plan
from phytoflow.storage.uri import local_path
from phytoflow.tracking.mlflow_client import check_settings

app = typer.Typer(
    no_args_is_help=True, help="Compare a challenger with the model that answers, and promote it."
)
UrlOption = Annotated[
    str, typer.Option(help="Address of the gateway; else that of the stack in the folder, or port 8000 here.")
]
TokenOption = Annotated[
    Path | None, typer.Option(help="File with a token of scope admin; else one of the local issuer is made.")
]
ThresholdsOption = Annotated[
    Path | None, typer.Option(help="YAML file with the keys of the gateway's section rollout.")
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
    thresholds: ThresholdsOption = None,
    url: UrlOption = "",
    token_file: TokenOption = None,
    directory: DirectoryOption = _DIRECTORY,
) -> None:
    """Begin a rollout: first copies of traffic, then a growing share of users."""
    body: dict[str, Any] = {"challenger": challenger}
    if chosen := _thresholds(thresholds):
        body["settings"] = chosen.model_dump(mode="json")
    _show(_call("POST", "", url, token_file, directory, body))


@app.command("run")
def run_rollout(
    bundle: Annotated[
        str,
        typer.Argument(help="The challenger's bundle: a folder, or s3://bucket/prefix with --service."),
    ],
    thresholds: ThresholdsOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Begin anew, although a rollout of this bundle has ended.")
    ] = False,
    service: Annotated[
        str, typer.Option(help="Name of the champion's InferenceService, on a cluster instead of a stack.")
    ] = "",
    url: Annotated[str, typer.Option(help="With --service: address of the gateway.")] = _URL,
    token_file: TokenOption = None,
    directory: DirectoryOption = _DIRECTORY,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Roll a bundle out on a stack or a cluster, and wait for the end; if it is promoted, it stays.

    The bundle is served as challenger: by the stack, or as the InferenceService SERVICE-VERSION. If the
    gateway promotes it, it becomes the champion of the stack or of the InferenceService, and of the registry
    (tracking.*). If not, the exit code is 15, and everything is as before. Killed, the same command goes on
    from there; once the rollout has ended, it says how.

    With --service it needs what `phytoflow deploy` needs.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    chosen, limits = load_settings(config, settings or []), _thresholds(thresholds)
    with tempfile.TemporaryDirectory() as folder:
        servers: ModelServers
        if service:
            local, output = Path(folder) / "bundle", bundle.rstrip("/").rpartition("/")[0]
            check_settings(chosen.tracking, output)
            servers = _cluster_servers(service, bundle, local, chosen.deploy)
        else:
            local, layout = local_path(bundle), Layout(directory.resolve())
            output, url = str(local.resolve().parent), read_plan(layout).url
            servers = StackServers(layout, local)
        with _client(url, token_file, directory) as client:
            Renewal(servers, local, output, client, chosen.tracking, limits, again=again).run()
    typer.echo(f"{bundle} is the champion")


@app.command()
def status(
    url: UrlOption = "", token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Say how far the rollout is, and what it waits for."""
    _show(_call("GET", "/current", url, token_file, directory))


@app.command()
def promote(
    url: UrlOption = "", token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Go to the next stage now; your name is recorded with the decision."""
    _show(_call("POST", "/current/promote", url, token_file, directory))


@app.command()
def abort(
    url: UrlOption = "", token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
) -> None:
    """Give all users back to the model that answered before."""
    _show(_call("POST", "/current/abort", url, token_file, directory))


@app.command()
def replay(
    url: UrlOption = "", token_file: TokenOption = None, directory: DirectoryOption = _DIRECTORY
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
    plan = Plan.read(Layout(directory))
    url = url or (plan.url if plan else _URL)
    with _client(url, token_file, directory, retries=0) as client:
        return client.request(method, f"/v1/rollouts{path}", body)


def _client(url: str, token_file: Path | None, directory: Path, retries: int = 5) -> GatewayClient:
    return GatewayClient(url, _token(token_file, directory), token_file=token_file or "", retries=retries)


def _cluster_servers(service: str, uri: str, work: Path, settings: DeploySettings) -> ModelServers:
    from phytoflow.deploy.kubernetes.api import Cluster
    from phytoflow.deploy.kubernetes.release import fetch_bundle
    from phytoflow.renewal.on_cluster import ClusterServers

    cluster = Cluster.connect(settings.namespace)
    return ClusterServers(cluster, service, fetch_bundle(uri, work), uri, settings)


def _thresholds(file: Path | None) -> RolloutSettings | None:
    return validate(RolloutSettings, SettingsOverrides.read(file).tree) if file else None


def _token(token_file: Path | None, directory: Path) -> str:
    if token_file:
        return ""  # the client reads it
    make_importable("serving")
    from serving.gateway.auth.local_issuer import LocalIssuer

    if not LocalIssuer.exists(directory):
        raise ConfigError(f"no gateway's folder at {directory}", remedy="give --token-file, or --directory")
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
