"""The one place that opens MLflow: quietly, without telemetry, and saying at once when it is not there.

MLflow takes seconds to import, so that happens when a store is opened, never before.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from phytoflow.errors import TrackingError
from phytoflow.storage.uri import is_local, local_path
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"
_CONNECT_SECONDS = 5.0
_REMEDY = "check tracking.uri and that the server runs, or leave it empty to record in the output folder"
# Read by MLflow when it is imported; whoever runs us may have set others.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "GIT_PYTHON_REFRESH": "quiet",
}


def tracking_uri(settings: TrackingSettings, output: str | Path) -> str:
    """The URI of the store: the settings' own, MLflow's own variable, or SQLite in the output folder.

    Raises:
        TrackingError: No URI is set and the output is an object store, where SQLite cannot live.
    """
    return named_uri(settings) or f"sqlite:///{_folder(output) / DATABASE}"


def named_uri(settings: TrackingSettings) -> str:
    """The URI somebody chose, in the settings or by ``MLFLOW_TRACKING_URI``; empty: nobody did."""
    return settings.uri or os.environ.get("MLFLOW_TRACKING_URI", "")


def open_client(settings: TrackingSettings, output: str | Path) -> MlflowClient:
    """Opens the store, making it if it is the output folder's own.

    Raises:
        TrackingError: It cannot be reached, or refuses.
    """
    uri = tracking_uri(settings, output)
    if named_uri(settings):
        _check_reachable(uri)
    else:
        _folder(output).mkdir(parents=True, exist_ok=True)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with tracking_errors(uri):
        from mlflow import MlflowClient

        for logger in ("mlflow", "alembic"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        return MlflowClient(tracking_uri=uri, registry_uri=uri)


def experiment_id(client: MlflowClient, settings: TrackingSettings, output: str | Path) -> str:
    """Id of the settings' experiment, which is made if it is not there (brought back if deleted)."""
    with tracking_errors(tracking_uri(settings, output)):
        if found := client.get_experiment_by_name(settings.experiment):
            if found.lifecycle_stage == "deleted":
                client.restore_experiment(found.experiment_id)
            return str(found.experiment_id)
        location = None if named_uri(settings) else (_folder(output) / ARTIFACTS).as_uri()
        return str(client.create_experiment(settings.experiment, artifact_location=location))


@contextmanager
def tracking_errors(uri: str) -> Iterator[None]:
    """Turns what MLflow, its database or the network raises into a TrackingError."""
    try:
        yield
    except TrackingError:
        raise
    except Exception as error:  # MLflow lets through whatever SQLAlchemy, requests and the file system raise
        first = str(error).strip().splitlines() or [type(error).__name__]
        raise TrackingError(f"MLflow at {_without_secret(uri)}: {first[0][:300]}", remedy=_REMEDY) from error


def _folder(output: str | Path) -> Path:
    if not is_local(output):
        remedy = "set tracking.uri to an MLflow server"
        raise TrackingError(f"the output {output} cannot hold MLflow's SQLite file", remedy=remedy)
    return local_path(output).absolute()


def _check_reachable(uri: str) -> None:
    """Tries one connection: MLflow itself would retry for minutes before it said anything."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS).close()
    except OSError as error:
        where = _without_secret(uri)
        raise TrackingError(f"no MLflow server answers at {where}: {error}", remedy=_REMEDY) from error


def _without_secret(uri: str) -> str:
    """The URI without user and password, which belong in no log."""
    parts = urlsplit(uri)
    return uri.replace(f"{parts.netloc.rpartition('@')[0]}@", "") if "@" in parts.netloc else uri
