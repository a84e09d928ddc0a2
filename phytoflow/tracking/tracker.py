"""One MLflow run: parameters, metrics, files and pictures of a training, resumed after a kill."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from phytoflow.tracking.mlflow_client import experiment_id, open_client, tracking_errors, tracking_uri
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

Status = Literal["FINISHED", "FAILED", "KILLED"]
KEY_TAG = "phytoflow.key"
MAX_PARAMETER = 6000  # characters; MLflow's own limit
_MAX_TAG = 8000
_BATCH = 100  # parameters a request; MLflow's own limit
_LOG = logging.getLogger(__name__)


class Tracker:
    """Writes to one MLflow run.

    As a context manager it ends the run: FINISHED if the block ends well, FAILED if it raises. A process
    that is killed leaves the run RUNNING, and the next ``open`` with the same key goes on with it.

    Attributes:
        run_id: MLflow's id of the run.
        uri: The store it is in.
    """

    def __init__(self, client: MlflowClient, run_id: str, uri: str) -> None:
        self.run_id = run_id
        self.uri = uri
        self._client = client

    @classmethod
    def open(
        cls,
        settings: TrackingSettings,
        output: str | Path,
        *,
        run_id: str = "",
        key: str = "",
        name: str = "train",
        finished: bool = False,
    ) -> Tracker:
        """Resumes the run with this id or, not yet finished, with this key; starts one otherwise.

        Args:
            settings: Where runs are recorded.
            output: Folder that holds the SQLite file and the artifacts if ``settings.uri`` is empty.
            run_id: Of a run to resume.
            key: Names the work, e.g. a hash of data and settings; the same key resumes unfinished work.
            name: Shown in MLflow, for a new run.
            finished: Go on with a run of this key even if it finished.

        Raises:
            TrackingError: MLflow cannot be reached, refuses, or has no run of this id.
        """
        client, uri = open_client(settings, output), tracking_uri(settings, output)
        with tracking_errors(uri):
            experiment = experiment_id(client, settings, output)
            found = (
                client.get_run(run_id).info.run_id if run_id else _newest(client, experiment, key, finished)
            )
            if found:
                client.update_run(found, status="RUNNING")
            else:
                tags = {KEY_TAG: key} if key else {}
                found = client.create_run(experiment, run_name=name, tags=tags).info.run_id
        return cls(client, found, uri)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters; nested mappings become dotted names.

        A value longer than MLflow takes is cut, and kept whole as ``params/NAME.txt``. MLflow's parameters
        never change: on resuming, one that differs from its first value is left as it was, with a warning.
        """
        values = {_allowed(name): str(value) for name, value in _flat(params)}
        with self._errors():
            from mlflow.entities import Param

            new = self._not_yet_logged(values)
            for name in [name for name, value in new.items() if len(value) > MAX_PARAMETER]:
                self._client.log_text(self.run_id, new[name], f"params/{name}.txt")
            entries = [Param(name, _cut(value, MAX_PARAMETER)) for name, value in new.items()]
            for start in range(0, len(entries), _BATCH):
                self._client.log_batch(self.run_id, params=entries[start : start + _BATCH])

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Records figures of one step (an epoch, say); those that are not finite are left out."""
        with self._errors():
            from mlflow.entities import Metric

            now = int(time.time() * 1000)
            values = {_allowed(k): float(v) for k, v in metrics.items() if math.isfinite(float(v))}
            self._client.log_batch(self.run_id, [Metric(k, v, now, step) for k, v in values.items()])

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """Copies a file, or a folder's content, to the run's artifacts, under ``folder`` there."""
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        with self._errors():
            log(self.run_id, str(path), folder or None)

    def log_figure(self, figure: Figure, name: str) -> None:
        """Keeps a matplotlib figure as a picture, e.g. ``confusion_matrix.png``."""
        with self._errors():
            self._client.log_figure(self.run_id, figure, name)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets or replaces tags."""
        with self._errors():
            for name, value in tags.items():
                self._client.set_tag(self.run_id, _allowed(name), _cut(value, _MAX_TAG))

    def artifact_uri(self, folder: str = "") -> str:
        """Where the run's artifacts are, e.g. of the ``bundle`` logged there."""
        with self._errors():
            root = self._client.get_run(self.run_id).info.artifact_uri
        return f"{root}/{folder}".rstrip("/")

    def finish(self, status: Status = "FINISHED") -> None:
        """Ends the run."""
        with self._errors():
            self._client.set_terminated(self.run_id, status)

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish("FINISHED" if kind is None else "FAILED")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        with tracking_errors(self.uri):
            yield

    def _not_yet_logged(self, values: dict[str, str]) -> dict[str, str]:
        logged = self._client.get_run(self.run_id).data.params
        changed = [k for k, v in values.items() if k in logged and logged[k] != _cut(v, MAX_PARAMETER)]
        if changed:
            _LOG.warning("MLflow run %s keeps its first values of %s", self.run_id, ", ".join(changed))
        return {name: value for name, value in values.items() if name not in logged}


def _newest(client: MlflowClient, experiment: str, key: str, finished: bool) -> str:
    """Id of the newest run of this key, or empty."""
    if not key:
        return ""
    chosen = f"tags.`{KEY_TAG}` = '{key}'"
    if not finished:
        chosen += " and attributes.status != 'FINISHED'"
    runs = client.search_runs([experiment], chosen, max_results=1, order_by=["attributes.start_time DESC"])
    return str(runs[0].info.run_id) if runs else ""


def _flat(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _allowed(name: str) -> str:
    """A name with what MLflow refuses replaced, of a length it takes."""
    return re.sub(r"[^/\w.\- :]", "_", name)[:250]


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 3] + "..."
