"""One MLflow run: parameters, metrics, files and charts of a training, resumed after a kill."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from phytoflow.tracking.description import DESCRIPTION_TAG, RunFacts, describe_run, facts_of
from phytoflow.tracking.links import RunPages, run_pages
from phytoflow.tracking.logged_model import LoggedModel
from phytoflow.tracking.mlflow_client import Store, open_store
from phytoflow.tracking.names import key_name
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Status = Literal["FINISHED", "FAILED", "KILLED"]
KEY_TAG = "phytoflow.key"
_PARENT_TAG = "mlflow.parentRunId"  # MLflow's own name
MAX_PARAMETER = 6000  # characters; MLflow's own limit
_MAX_TAG = 8000  # characters; MLflow's own limit
_PARAMETERS_PER_REQUEST = 100  # MLflow's own limit
_METRICS_PER_REQUEST = 1000  # MLflow's own limit
_LOG = logging.getLogger(__name__)


class Tracker:
    """Writes to one MLflow run.

    As a context manager it ends the run: FINISHED if the block ends well, FAILED if it raises. A process that
    is killed leaves the run RUNNING, and the next ``open`` with the same key resumes it.

    Attributes:
        run_id: MLflow's id of the run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self.run_id = run_id
        self._store = store
        self._client = store.client
        self._model = LoggedModel(store, run_id)

    @classmethod
    def open(
        cls,
        settings: TrackingSettings,
        output: str | Path,
        *,
        run_id: str = "",
        key: str = "",
        name: str = "training",
        model: str = "",
        finished: bool = False,
        parent: str = "",
    ) -> Tracker:
        """Resumes the run with this id or, if unfinished, with this key; starts a new one otherwise.

        Args:
            settings: Where runs are recorded.
            output: Folder of the SQLite file and the artifacts if ``settings.uri`` is empty.
            run_id: Id of a run to resume.
            key: Identifies the work, e.g. a hash of data and settings.
            name: Name of a new run.
            model: Name of the model that the run trains. MLflow lists a run under its training runs only if
                it has one.
            finished: Resume a run of this key even if it is finished.
            parent: Id of the run that a new run is shown below.

        Raises:
            TrackingError: MLflow cannot be reached, refuses, or has no run of this id.
            StorageError: The disk is full, or the output folder cannot be written.
        """
        store = open_store(settings, output)
        experiment = store.experiment_id(settings.experiment)
        with store.errors():
            resumed = run_id and str(store.client.get_run(run_id).info.run_id)
            if resumed := resumed or _newest(store, experiment, key, finished):
                store.client.update_run(resumed, status="RUNNING")
                tracker = cls(store, resumed)
            else:
                tags = ({KEY_TAG: key} if key else {}) | ({_PARENT_TAG: parent} if parent else {})
                run = store.client.create_run(experiment, run_name=name, tags=tags)
                tracker = cls(store, str(run.info.run_id))
        if model:
            tracker._model.start(model)
        return tracker

    @property
    def pages(self) -> RunPages:
        """MLflow's pages for this run."""
        with self._store.errors():
            experiment = self._client.get_run(self.run_id).info.experiment_id
        return run_pages(self._store.address, self._store.folder, experiment, self.run_id)

    @property
    def name(self) -> str:
        """The run's name."""
        with self._store.errors():
            return str(self._client.get_run(self.run_id).info.run_name)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Records parameters; nested mappings become dotted names.

        A value longer than MLflow accepts is cut, and kept as a whole in ``params/NAME.txt``. MLflow never
        changes a parameter: a resumed run keeps the first value of each, with a warning.
        """
        values = {key_name(name): str(value) for name, value in _flatten(params)}
        with self._store.errors():
            from mlflow.entities import Param

            new = self._not_yet_logged(values)
            for name in [name for name, value in new.items() if len(value) > MAX_PARAMETER]:
                self._client.log_text(self.run_id, new[name], f"params/{name}.txt")
            entries = [Param(name, _cut(value, MAX_PARAMETER)) for name, value in new.items()]
            for start in range(0, len(entries), _PARAMETERS_PER_REQUEST):
                part = entries[start : start + _PARAMETERS_PER_REQUEST]
                self._client.log_batch(self.run_id, params=part)

    def log_metrics(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Records metrics of one step, e.g. an epoch; those that are not finite are left out.

        A slash in a name makes a group of charts.
        """
        self._log_metrics({key_name(name): value for name, value in metrics.items()}, step)

    def log_scalars(self, scalars: Mapping[str, float]) -> dict[str, float]:
        """Records metrics whose names are dotted paths; a slash in one belongs to the name of a class.

        Returns:
            The scalars under the names that MLflow accepts.
        """
        accepted = {key_name(name, groups=False): value for name, value in scalars.items()}
        self._log_metrics(accepted, 0)
        return accepted

    def log_artifact(self, path: Path, folder: str = "") -> None:
        """Copies a file, or a folder's content, to the run's artifacts, under ``folder`` there."""
        log = self._client.log_artifacts if path.is_dir() else self._client.log_artifact
        with self._store.errors():
            log(self.run_id, str(path), folder or None)

    def log_figure(self, figure: Figure, name: str) -> None:
        """Keeps a matplotlib figure as a picture, e.g. ``curves.png``."""
        with self._store.errors():
            self._client.log_figure(self.run_id, figure, name)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Sets or replaces tags."""
        with self._store.errors():
            for name, value in tags.items():
                self._client.set_tag(self.run_id, key_name(name), _cut(value, _MAX_TAG))

    def describe(self, **facts: str) -> None:
        """Adds facts to the run's description; see ``RunFacts``. A description edited by a person stays."""
        with self._store.errors():
            tags = dict(self._client.get_run(self.run_id).data.tags)
        before = facts_of(tags)
        after = RunFacts(**(vars(before) | facts))
        self.set_tags(after.tags())
        pages = self.pages
        if tags.get(DESCRIPTION_TAG, "") in ("", describe_run(before, pages)):
            self.set_tags({DESCRIPTION_TAG: describe_run(after, pages)})

    def complete_model(self, bundle_version: str) -> None:
        """Records the version of the bundle that the run's model became."""
        self._model.complete(bundle_version)

    def artifact_uri(self, folder: str = "") -> str:
        """Where the run's artifacts are, e.g. those of the folder ``bundle``."""
        with self._store.errors():
            root = self._client.get_run(self.run_id).info.artifact_uri
        return f"{root}/{folder}".rstrip("/")

    def finish(self, status: Status = "FINISHED") -> None:
        """Ends the run."""
        self._model.finish(failed=status != "FINISHED")
        with self._store.errors():
            self._client.set_terminated(self.run_id, status)

    def __enter__(self) -> Tracker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
            return
        with _no_second_error():
            self.finish("FAILED")

    def _log_metrics(self, metrics: Mapping[str, float], step: int) -> None:
        with self._store.errors():
            from mlflow.entities import Metric

            now = int(time.time() * 1000)
            finite = ((name, float(value)) for name, value in metrics.items() if math.isfinite(value))
            entries = [Metric(name, value, now, step) for name, value in finite]
            for start in range(0, len(entries), _METRICS_PER_REQUEST):
                self._client.log_batch(self.run_id, entries[start : start + _METRICS_PER_REQUEST])

    def _not_yet_logged(self, values: dict[str, str]) -> dict[str, str]:
        logged = self._client.get_run(self.run_id).data.params
        changed = [k for k, v in values.items() if k in logged and logged[k] != _cut(v, MAX_PARAMETER)]
        if changed:
            _LOG.warning("MLflow run %s keeps its first values of %s", self.run_id, ", ".join(changed))
        return {name: value for name, value in values.items() if name not in logged}


@contextmanager
def _no_second_error() -> Iterator[None]:
    """On the way out of a failed block: the first error is the one to report, e.g. of a full disk."""
    try:
        yield
    except Exception as error:
        _LOG.debug("the run could not be marked as failed: %s", error)


def _newest(store: Store, experiment: str, key: str, finished: bool) -> str:
    """Id of the newest run of this key; empty if there is none."""
    if not key:
        return ""
    query = f"tags.`{KEY_TAG}` = '{key}'"
    if not finished:
        query += " and attributes.status != 'FINISHED'"
    newest_first = ["attributes.start_time DESC"]
    runs = store.client.search_runs([experiment], query, max_results=1, order_by=newest_first)
    return str(runs[0].info.run_id) if runs else ""


def _flatten(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 3] + "..."
