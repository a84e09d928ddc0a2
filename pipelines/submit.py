"""Submits the compiled pipeline to a Kubeflow Pipelines backend: once, or as a recurring run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kfp
import yaml
from kfp.client import KF_PIPELINES_SA_TOKEN_ENV, ServiceAccountTokenVolumeCredentials
from kfp_server_api import ApiException
from urllib3.exceptions import HTTPError

from components.image import PLACEHOLDER
from phytoflow.errors import BackendError, ConfigError, GateError
from pipelines.training import NAME

TOKEN_VARIABLE = "KFP_TOKEN"
COOKIE_VARIABLE = "KFP_COOKIE"
_SUCCEEDED = "SUCCEEDED"
_FAILED = ("FAILED", "CANCELED", "CANCELING", "SKIPPED")
_REFUSE = "refuse"  # name of the component, and so of its task
_LISTED = 100  # newest runs among which one is looked for by its name


@dataclass(frozen=True)
class Backend:
    """An open connection.

    Attributes:
        client: kfp's own client, for everything else that it can do.
        host: Address, without a trailing slash.
    """

    client: kfp.Client
    host: str


@dataclass(frozen=True)
class Submitted:
    """A run or recurring run on the backend.

    Attributes:
        id: Its id.
        url: Where the Kubeflow UI shows it.
    """

    id: str
    url: str


def connect(host: str, namespace: str = "") -> Backend:
    """Connects to a backend; ``KFP_TOKEN`` may hold a bearer token, ``KFP_COOKIE`` a session cookie.

    In a pod ``KF_PIPELINES_SA_TOKEN_PATH`` names a projected token, which is read again as it is renewed.

    Args:
        host: Address of the API or of the Kubeflow UI, e.g. a port-forward's.
        namespace: Profile namespace of a multi-user installation; empty for a single-user one.

    Raises:
        BackendError: Nothing answers there, or it wants a valid token or cookie.
    """
    projected = ServiceAccountTokenVolumeCredentials() if os.environ.get(KF_PIPELINES_SA_TOKEN_ENV) else None
    try:
        client = kfp.Client(
            host=host,
            namespace=namespace or "kubeflow",
            existing_token=os.environ.get(TOKEN_VARIABLE),
            cookies=os.environ.get(COOKIE_VARIABLE),
            credentials=projected,
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
    once: bool = False,
) -> Submitted:
    """Submits a run or, with ``cron``, a recurring run, which replaces an earlier one of the same name.

    Args:
        backend: From ``connect``.
        package: File of the compiled pipeline.
        parameters: The pipeline's parameters; the others keep their defaults.
        experiment: Name of the experiment.
        name: Name of the run; empty: the pipeline's name and the time.
        cron: Six fields, seconds first; empty: one run, now.
        cache: Whether KFP may reuse the outputs of earlier runs on the same inputs.
        once: Returns the run of this name if there is one that has not failed, and submits none.

    Raises:
        BackendError: The backend refuses.
        ConfigError: The package names no image, or ``once`` is given without a name.
    """
    _refuse_placeholder(package)
    if once and not name:
        raise ConfigError("a run that is submitted once needs a name", remedy="give --name")
    try:
        if once and (known := _find_run(backend, experiment, name)):
            return Submitted(known, _url(backend, f"runs/details/{known}"))
        if cron:
            return _submit_recurring(backend, package, parameters, experiment, name or NAME, cron, cache)
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
    """Waits for the end of a run.

    Args:
        backend: From ``connect``.
        run_id: Id of the run.
        seconds: Longest wait.

    Raises:
        BackendError: It failed, was cancelled, or did not end in time.
        GateError: It failed because its gate refused the model.
    """
    try:
        run = backend.client.wait_for_run_completion(run_id, timeout=int(seconds), sleep_duration=5)
    except TimeoutError as error:
        what = f"run {run_id} has not ended after {seconds:.0f} s"
        raise BackendError(what, remedy="it goes on; look at it in the UI") from error
    if run.state != _SUCCEEDED:
        if _is_refused(run):
            what = f"the gate refused the model of run {run_id}"
            raise GateError(what, remedy="report.html in its output says why")
        reason = run.error.message if run.error else "see the failed step's log in the UI"
        what = f"run {run_id} ended {run.state}: {reason}"
        raise BackendError(what, remedy="outcome.json in its output says more")


def _is_refused(run: Any) -> bool:
    """Whether the step that a failed gate leads to has ended the run."""
    tasks = (run.run_details and run.run_details.task_details) or []
    return any(task.display_name == _REFUSE and task.state == "FAILED" for task in tasks)


def _find_run(backend: Backend, experiment: str, name: str) -> str | None:
    """Id of the newest run of a name that runs or has succeeded."""
    experiment_id = backend.client.create_experiment(experiment).experiment_id
    listed = backend.client.list_runs(
        experiment_id=experiment_id, page_size=_LISTED, sort_by="created_at desc"
    )
    for run in listed.runs or []:
        if run.display_name == name and run.state not in _FAILED:
            return str(run.run_id)
    return None


def _submit_recurring(
    backend: Backend,
    package: Path,
    parameters: Mapping[str, object],
    experiment: str,
    name: str,
    cron: str,
    cache: bool,
) -> Submitted:
    client = backend.client
    experiment_id = client.create_experiment(experiment).experiment_id
    listed = client.list_recurring_runs(experiment_id=experiment_id, page_size=100).recurring_runs or []
    for previous in listed:
        if previous.display_name == name:
            client.delete_recurring_run(previous.recurring_run_id)
    created = client.create_recurring_run(
        experiment_id,
        name,
        cron_expression=cron,
        max_concurrency=1,
        no_catchup=True,
        pipeline_package_path=str(package),
        params=dict(parameters),
        enable_caching=None if cache else False,
    )
    return Submitted(
        created.recurring_run_id, _url(backend, f"recurringrun/details/{created.recurring_run_id}")
    )


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
    """The first line of what the backend said, or the kind of error; cut to what fits a message."""
    text = str(getattr(error, "body", None) or error).strip()
    return (text.splitlines() or [type(error).__name__])[0][:300]
