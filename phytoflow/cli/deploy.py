"""`phytoflow deploy`, `status` and `rollback`: publishing on a cluster from the command line."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from phytoflow.cli.options import ConfigOption, SetOption
from phytoflow.config.loader import load_settings
from phytoflow.errors import ConfigError

if TYPE_CHECKING:
    from phytoflow.deploy.kubernetes.publisher import PublishResult

NameArgument = Annotated[str, typer.Argument(help="Name of the InferenceService and of the served model.")]
NamespaceOption = Annotated[
    str, typer.Option(help="Namespace. Default: deploy.namespace, else that of the kubeconfig's context.")
]


def deploy(
    name: NameArgument,
    bundle: Annotated[
        str, typer.Option(help="The bundle as s3://bucket/prefix; give each one its own.")
    ] = "",
    champion: Annotated[
        bool, typer.Option("--champion", help="The registry's champion (tracking.*).")
    ] = False,
    store: Annotated[str, typer.Option(help="With --champion: s3:// prefix for its bundle.")] = "",
    namespace: NamespaceOption = "",
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Publish a bundle as an InferenceService; the same again changes nothing.

    The new version is tried as NAME-candidate first and must answer the bundle's probe photos over V2, so
    that no request reaches a version that answers wrongly. Then replicas are replaced one by one. If anything
    fails, the cause is shown, the previous version goes on serving, and the exit code is 12.

    Needs KUBECONFIG (or a pod's ServiceAccount), and AWS_ENDPOINT_URL and credentials of the object store.
    """
    from phytoflow.deploy.kubernetes.api import Cluster
    from phytoflow.deploy.kubernetes.champion import champion_release
    from phytoflow.deploy.kubernetes.publisher import deploy as publish
    from phytoflow.deploy.kubernetes.release import fetch_bundle, release_of
    from phytoflow.deploy.kubernetes.smoke_test import SmokeTest

    if champion == bool(bundle) or champion != bool(store):
        remedy = "e.g. --bundle s3://bucket/prefix, or --champion --store s3://bucket/models"
        raise ConfigError("give either --bundle, or --champion with --store", remedy=remedy)
    chosen = load_settings(config, settings or [])
    cluster = Cluster.connect(namespace or chosen.deploy.namespace)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "bundle"
        if champion:
            local, release = champion_release(cluster, name, chosen.tracking, store, work)
        else:
            local = fetch_bundle(bundle, work)
            release = release_of(local, bundle)
        smoke_test = SmokeTest.from_probes(local, chosen.deploy.extra_args)
        _print_result(publish(cluster, name, release, smoke_test, chosen.deploy))


def status(name: NameArgument, namespace: NamespaceOption = "") -> None:
    """Show what is published under a name: readiness or the fault, version, provenance and history."""
    from rich.console import Console
    from rich.table import Table

    from phytoflow.deploy.kubernetes.api import Cluster
    from phytoflow.deploy.kubernetes.status import describe_status

    table = Table(show_header=False, box=None, pad_edge=False)
    for label, value in describe_status(Cluster.connect(namespace), name):
        table.add_row(label, value)
    Console(soft_wrap=True, markup=False, highlight=False).print(table)


def rollback(
    name: NameArgument,
    namespace: NamespaceOption = "",
    to: Annotated[int, typer.Option(min=0, help="Number of a good spec. 0 selects the previous one.")] = 0,
    config: ConfigOption = None,
    settings: SetOption = None,
) -> None:
    """Return to the version that served before, or to any that `phytoflow status` lists.

    Replicas are replaced one by one, and each accepts requests only after it checked itself. If the old
    version does not become ready, the present one goes on serving, and the exit code is 12.
    """
    from phytoflow.deploy.kubernetes.api import Cluster
    from phytoflow.deploy.kubernetes.publisher import rollback as go_back
    from phytoflow.deploy.kubernetes.release import load_smoke_test

    chosen = load_settings(config, settings or []).deploy
    cluster = Cluster.connect(namespace or chosen.namespace)
    with tempfile.TemporaryDirectory() as folder:
        to_folder = Path(folder) / "bundle"
        result = go_back(cluster, name, lambda revision: load_smoke_test(revision, to_folder), chosen, to)
    _print_result(result)


def _print_result(result: PublishResult) -> None:
    verb = "serves" if result.changed else "serves already"
    if result.canary_percent:
        verb = f"gives {result.canary_percent}% of the requests through Gateway API to"
    typer.echo(f"{result.namespace}/{result.name} {verb} version {result.version} at {result.url}")
    typer.echo(
        f"{result.compared} photos answered as recorded, off by at most {result.max_difference:.1e}; "
        f"took {result.seconds:.0f} s"
    )
