"""Reads runs from MLflow: settings, figures, curves, duration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from phytoflow.errors import ConfigError
from phytoflow.tracking.mlflow_client import Store, open_store
from phytoflow.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from mlflow.entities import Run

_NEWEST = 100  # runs in which a name or the beginning of an id is looked for
ONCE = ("test.", "chosen/")
"""Beginnings of the names of metrics that are measured once, after the training: they have no curve."""


@dataclass(frozen=True)
class RunRecord:
    """A run as MLflow has it.

    Attributes:
        id: MLflow's id.
        name: The run's name.
        status: ``FINISHED``, ``RUNNING``, ``FAILED`` or ``KILLED``.
        started: When it began.
        seconds: How long it took; None while it runs.
        parameters: Settings by dotted name.
        metrics: The last value of each metric.
        curves: Step and value of each metric that has more than one step.
    """

    id: str
    name: str
    status: str
    started: datetime
    seconds: float | None
    parameters: dict[str, str]
    metrics: dict[str, float]
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)


def read_runs(settings: TrackingSettings, output: str | Path, wanted: Sequence[str]) -> list[RunRecord]:
    """Reads runs of the experiment.

    Args:
        settings: Where runs are recorded.
        output: Folder of the SQLite file if ``settings.uri`` is empty.
        wanted: Ids, beginnings of ids, or names; empty: the two newest finished runs.

    Returns:
        The runs in the order in which they were named; the older first if none was.

    Raises:
        ConfigError: There is no such run, or several have the name.
        TrackingError: MLflow cannot be reached, or refuses.
    """
    store = open_store(settings, output)
    experiment = store.experiment_id(settings.experiment)
    with store.errors():
        newest = store.client.search_runs(
            [experiment], max_results=_NEWEST, order_by=["attributes.start_time DESC"]
        )
        if wanted:
            chosen = [_find(text, newest) for text in wanted]
        else:
            chosen = [run for run in newest if run.info.status == "FINISHED"][1::-1]
        return [_record(store, run) for run in chosen]


def _find(text: str, runs: Sequence[Run]) -> Run:
    found = [run for run in runs if run.info.run_id.startswith(text) or run.info.run_name == text]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{run.info.run_id[:8]} ({run.info.run_name})" for run in (found or runs)[:10])
    problem = f"several runs are called {text!r}" if found else f"there is no run {text!r}"
    raise ConfigError(problem, remedy=f"name one of: {names}" if names else "train first")


def _record(store: Store, run: Run) -> RunRecord:
    info: Any = run.info
    curves = {}
    for name in run.data.metrics:
        if not name.startswith(ONCE):
            history = store.client.get_metric_history(info.run_id, name)
            if len({point.step for point in history}) > 1:
                curves[name] = sorted((point.step, point.value) for point in history)
    return RunRecord(
        id=info.run_id,
        name=info.run_name,
        status=info.status,
        started=datetime.fromtimestamp(info.start_time / 1000, UTC),
        seconds=(info.end_time - info.start_time) / 1000 if info.end_time else None,
        parameters=dict(run.data.params),
        metrics=dict(run.data.metrics),
        curves=curves,
    )
