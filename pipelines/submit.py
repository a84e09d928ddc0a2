"""Hands the compiled pipeline to a Kubeflow Pipelines backend: a run now, or one again and again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import kfp
import yaml
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError

from components.image import PLACEHOLDER
from phytoflow.errors import BackendError, ConfigError
from pipelines.training import NAME

TOKEN_VARIABLE = "KFP_TOKEN"
COOKIE_VARIABLE = "KFP_COOKIE"
_FINISHED = "SUCCEEDED"


@dataclass(frozen=True)
class Backend:
    """An open connection.

    Attributes:
        client: kfp's own client, for whatever else it can do.
        host: Address, without a slash at its end.
    """

    client: kfp.Client
    host: str


@dataclass(frozen=True)
class Submitted:
    """What the backend made.

    Attributes:
        id: Id of the run, or of the recurring run.
        url: Where the Kubeflow UI shows it.
    """

    id: str
    url: str


def connect(host: str, namespace: str = "") -> Backend:
    """Opens the backend; a bearer token is read from ``KFP_TOKEN``, a session cookie from ``KFP_COOKIE``.

    Args:
        host: Address of the API or of the Kubeflow UI, e.g. a port-forward's.
        namespace: Profile namespace of a multi-user installation; empty for a single-user one.

    Raises:
        BackendError: Nothing answers there, or it lets nobody in without a valid token or cookie.
    """
    try:
        client = kfp.Client(
            host=host,
            namespace=namespace or "kubeflow",
            existing_token=os.environ.get(TOKEN_VARIABLE),
            cookies=os.environ.get(COOKIE_VARIABLE),
        )
        client.get_kfp_healthz(sleep_duration=1)
    except (ApiException, HTTPError, OSError, ValueError, RuntimeError) as error:
        remedy = f"check the address; a guarded backend wants {TOKEN_VARIABLE} or {COOKIE_VARIABLE}"
        raise BackendError(f"no Kubeflow Pipelines at {host}: {_first_line(error)}", remedy=remedy) from error
    return Backend(client, host.rstrip("/"))


def submit(
    backend: Backend,
    package: Path,
    parameters: Mapping[str, object],
    *,
    experiment: str = NAME,
    name: str = "",
    cron: str = "",
    cache: bool = True,
) -> Submitted:
    """Starts a run, or with ``cron`` a recurring one (an earlier one of that name is replaced).

    Args:
        backend: From ``connect``.
        package: The compiled pipeline.
        parameters: The pipeline's parameters; those not given keep their defaults.
        experiment: Where the run is filed.
        name: Of the run; empty: the pipeline's name and the time.
        cron: Six fields, seconds first; empty: once, now.
        cache: Whether steps done before on the same inputs are taken from KFP's cache.

    Raises:
        BackendError: The backend refuses.
        ConfigError: The package names no image.
    """
    _refuse_placeholder(package)
    try:
        if cron:
            return _recur(backend, package, parameters, experiment, name or NAME, cron, cache)
        run = backend.client.create_run_from_pipeline_package(
            str(package),
            arguments=dict(parameters),
            run_name=name or None,
            experiment_name=experiment,
            enable_caching=None if cache else False,
        )
    except (ApiException, HTTPError, ValueError) as error:
        raise BackendError(
            f"the run was refused: {_first_line(error)}", remedy="see the backend's log"
        ) from error
    return Submitted(run.run_id, _url(backend, f"runs/details/{run.run_id}"))


def wait(backend: Backend, run_id: str, seconds: float) -> None:
    """Waits for a run's end.

    Raises:
        BackendError: It failed, was cancelled, or did not end in time.
    """
    try:
        run = backend.client.wait_for_run_completion(run_id, timeout=int(seconds), sleep_duration=5)
    except TimeoutError as error:
        what = f"run {run_id} has not ended after {seconds:.0f} s"
        raise BackendError(what, remedy="it goes on; look at it in the UI") from error
    if run.state != _FINISHED:
        words = run.error.message if run.error else "see the failed step's log in the UI"
        raise BackendError(
            f"run {run_id} ended {run.state}: {words}", remedy="outcome.json in its output says more"
        )


def _recur(
    backend: Backend,
    package: Path,
    parameters: Mapping[str, object],
    experiment: str,
    name: str,
    cron: str,
    cache: bool,
) -> Submitted:
    client = backend.client
    filed = client.create_experiment(experiment)
    listed = client.list_recurring_runs(experiment_id=filed.experiment_id, page_size=100).recurring_runs or []
    for old in listed:
        if old.display_name == name:
            client.delete_recurring_run(old.recurring_run_id)
    made = client.create_recurring_run(
        filed.experiment_id,
        name,
        cron_expression=cron,
        max_concurrency=1,
        no_catchup=True,
        pipeline_package_path=str(package),
        params=dict(parameters),
        enable_caching=None if cache else False,
    )
    return Submitted(made.recurring_run_id, _url(backend, f"recurringrun/details/{made.recurring_run_id}"))


def _refuse_placeholder(package: Path) -> None:
    if not package.is_file():
        raise ConfigError(
            f"no compiled pipeline at {package}", remedy="phytoflow pipeline compile --image NAME:TAG"
        )
    spec = next(yaml.safe_load_all(package.read_text()))
    images = {e["container"]["image"] for e in spec["deploymentSpec"]["executors"].values()}
    if PLACEHOLDER in images:
        raise ConfigError(
            f"{package} names no image for its steps", remedy="phytoflow pipeline compile --image NAME:TAG"
        )


def _url(backend: Backend, path: str) -> str:
    return f"{backend.host}/#/{path}"


def _first_line(error: Exception) -> str:
    body = getattr(error, "body", None) or str(error)
    return str(body).strip().splitlines()[0][:300]
