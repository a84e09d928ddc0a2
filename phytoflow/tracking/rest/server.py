"""Runs of an MLflow server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from phytoflow.errors import ConfigError
from phytoflow.tracking.registry import CHALLENGER, CHAMPION
from phytoflow.tracking.rest.api import connect, get
from phytoflow.tracking.runs import ONCE, RunRecord

_MAX_CURVES, _MAX_POINTS = 40, 5000  # of a run, and of a curve
_TOP_LEVEL = "tags.`mlflow.parentRunId` IS NULL"  # no trials of a search


@dataclass(frozen=True)
class MlflowServer:
    """Runs and models of one experiment on an MLflow server.

    Attributes:
        url: The server, with user and password if it wants some.
        experiment: Name of the experiment.
        registered_model: Name of the model in the registry.
    """

    url: str
    experiment: str
    registered_model: str

    async def newest_runs(self, count: int) -> list[RunRecord]:
        """The newest runs without their curves; trials of searches are left out.

        Raises:
            TrackingError: The server cannot be reached, or refuses.
        """
        async with connect(self.url) as client:
            experiment = await _experiment_id(client, self.experiment)
            if not experiment:
                return []
            query = {
                "experiment_ids": [experiment],
                "filter": _TOP_LEVEL,
                "max_results": count,
                "order_by": ["attributes.start_time DESC"],
            }
            answer = (await client.post("runs/search", json=query)).raise_for_status().json()
            return [_record(run) for run in answer.get("runs", [])]

    async def roles(self) -> dict[str, list[str]]:
        """Aliases, ``champion`` and ``challenger``, by the id of the run that trained the model.

        Raises:
            TrackingError: The server cannot be reached, or refuses.
        """
        roles: dict[str, list[str]] = {}
        async with connect(self.url) as client:
            model = await get(client, "registered-models/get", {"name": self.registered_model})
            for entry in model["registered_model"].get("aliases", []) if model else []:
                if entry["alias"] in (CHAMPION, CHALLENGER):
                    query = {"name": self.registered_model, "version": entry["version"]}
                    version = await get(client, "model-versions/get", query)
                    trained_by = version["model_version"].get("run_id", "")
                    roles.setdefault(trained_by, []).append(entry["alias"])
        return roles

    async def read_runs(self, ids: Sequence[str]) -> list[RunRecord]:
        """Runs of the experiment with their curves, in the order of the ids.

        Raises:
            ConfigError: The experiment has no such run.
            TrackingError: The server cannot be reached, or refuses.
        """
        async with connect(self.url) as client:
            experiment = await _experiment_id(client, self.experiment)
            return await asyncio.gather(*(_read(client, experiment, run_id) for run_id in ids))


async def _experiment_id(client: httpx.AsyncClient, name: str) -> str:
    """Empty if there is no such experiment."""
    answer = await get(client, "experiments/get-by-name", {"experiment_name": name})
    return str(answer["experiment"]["experiment_id"]) if answer else ""


async def _read(client: httpx.AsyncClient, experiment: str, run_id: str) -> RunRecord:
    answer = await get(client, "runs/get", {"run_id": run_id})
    info = answer["run"]["info"] if answer else {}
    if info.get("experiment_id") != experiment or info.get("lifecycle_stage") == "deleted":
        raise ConfigError(f"there is no run {run_id}", remedy="choose another one")
    run = answer["run"]
    # A metric whose last step is 0 has one value only.
    drawn = [one["key"] for one in run["data"].get("metrics", []) if int(one.get("step", 0)) > 0]
    names = sorted(name for name in drawn if not name.startswith(ONCE))[:_MAX_CURVES]
    histories = await asyncio.gather(*(_history(client, run_id, name) for name in names))
    return _record(run, {name: points for name, points in zip(names, histories, strict=True) if points})


async def _history(client: httpx.AsyncClient, run_id: str, name: str) -> list[tuple[int, float]]:
    """A curve; empty if it has one step only."""
    query: dict[str, str | int] = {"run_id": run_id, "metric_key": name, "max_results": _MAX_POINTS}
    answer = await get(client, "metrics/get-history", query)
    points = [(int(one.get("step", 0)), float(one["value"])) for one in (answer or {}).get("metrics", [])]
    return sorted(points) if len({step for step, _ in points}) > 1 else []


def _record(run: Any, curves: dict[str, list[tuple[int, float]]] | None = None) -> RunRecord:
    info, data = run["info"], run["data"]
    end = info.get("end_time")
    values = ((one["key"], float(one["value"])) for one in data.get("metrics", []))
    return RunRecord(
        id=info["run_id"],
        name=info.get("run_name", ""),
        status=info["status"],
        started=datetime.fromtimestamp(info["start_time"] / 1000, UTC),
        seconds=(end - info["start_time"]) / 1000 if end else None,
        parameters={one["key"]: one["value"] for one in data.get("params", [])},
        metrics={name: value for name, value in values if math.isfinite(value)},
        curves=curves or {},
    )
