"""The one place that opens MLflow: without telemetry or progress bars, and failing fast if it is not there.

MLflow takes seconds to import, so that is done when a store is opened, never before.
"""

from __future__ import annotations

import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from phytoflow.errors import PhytoflowError, TrackingError
from phytoflow.storage.uri import is_local, local_path
from phytoflow.tracking.failures import explain_failure
from phytoflow.tracking.links import without_secret
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.store_uri import DATABASE, store_uri

if TYPE_CHECKING:
    from mlflow import MlflowClient

ARTIFACTS = "mlartifacts"
_CONNECT_SECONDS = 5.0
_REMEDY = "check tracking.uri and that the server runs, or leave it empty to record in the output folder"
# MLflow's pages for training runs show an experiment of this kind; others are taken for language models.
_EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
# MLflow reads these when it is imported; a user may have set others.
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


@dataclass(frozen=True)
class Store:
    """An MLflow store.

    Attributes:
        client: MLflow's client.
        address: The store for people: a server without user and password, or the path of the SQLite file.
        folder: The run's output folder if the store lies there; None for any other store.
    """

    client: MlflowClient
    address: str
    folder: Path | None

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what MLflow, its database, the network or the disk raises into the project's errors.

        Raises:
            TrackingError: The store cannot be reached, or refuses.
            StorageError: The disk is full, or the folder cannot be written.
        """
        try:
            yield
        except PhytoflowError:
            raise
        except Exception as error:  # MLflow passes on what SQLAlchemy, requests and the file system raise
            raise explain_failure(error, self.address, self.folder, _REMEDY) from error

    def experiment_id(self, name: str) -> str:
        """Id of an experiment, which is created if it does not exist and restored if it was deleted."""
        with self.errors():
            if experiment := self.client.get_experiment_by_name(name):
                if experiment.lifecycle_stage == "deleted":
                    self.client.restore_experiment(experiment.experiment_id)
                return str(experiment.experiment_id)
            location = (self.folder / ARTIFACTS).as_uri() if self.folder else None
            created = self.client.create_experiment(name, artifact_location=location, tags=_EXPERIMENT_TAGS)
            return str(created)


def open_store(settings: TrackingSettings, output: str | Path) -> Store:
    """Opens the store that the settings name, or the one in the output folder, which is created if needed.

    Args:
        settings: Names the store; ``MLFLOW_TRACKING_URI`` does if they do not.
        output: The run's folder.

    Raises:
        TrackingError: The store cannot be reached, or refuses.
        StorageError: The disk is full, or the output folder cannot be written.
    """
    uri, folder = named_uri(settings), None
    if uri:
        _check_reachable(uri)
        address = without_secret(uri)
    else:
        folder = output_folder(output)
        address = str(folder / DATABASE)
    try:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
            uri = store_uri(folder)
            _create_tables(folder)
        client = _connect(uri)
    except Exception as error:
        raise explain_failure(error, address, folder, _REMEDY) from error
    return Store(client, address, folder)


def named_uri(settings: TrackingSettings) -> str:
    """The URI that the settings or ``MLFLOW_TRACKING_URI`` name; empty if neither does."""
    return settings.uri or os.environ.get("MLFLOW_TRACKING_URI", "")


def check_settings(settings: TrackingSettings, output: str | Path) -> None:
    """Raises TrackingError if no store is named and the output cannot hold one."""
    if not named_uri(settings):
        output_folder(output)


def output_folder(output: str | Path) -> Path:
    """The output as an absolute path; raises TrackingError for an object store, where SQLite cannot live."""
    if not is_local(output):
        remedy = "set tracking.uri to an MLflow server"
        raise TrackingError(f"the output {output} cannot hold MLflow's SQLite file", remedy=remedy)
    return local_path(output).absolute()


def _create_tables(folder: Path) -> None:
    """Gives a new database its tables, aside: a process killed meanwhile would leave a part of them."""
    database, aside = folder / DATABASE, folder / f".{DATABASE}.partial"
    if database.stat().st_size:
        return
    with database.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of a search begin at the same moment
        if database.stat().st_size:
            return
        aside.unlink(missing_ok=True)  # of a process that was killed
        _connect(store_uri(folder, aside.name))
        if not database.stat().st_size:  # nor has an MLflow server created them
            aside.replace(database)


def _connect(uri: str) -> MlflowClient:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient

    for logger in ("mlflow", "alembic"):
        logging.getLogger(logger).setLevel(logging.ERROR)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _check_reachable(uri: str) -> None:
    """Tries to connect once: MLflow itself would retry for minutes before it reports anything."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _CONNECT_SECONDS).close()
    except OSError as error:
        what = f"no MLflow server answers at {without_secret(uri)}: {error}"
        raise TrackingError(what, remedy=_REMEDY) from error
