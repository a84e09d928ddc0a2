"""Runs of a real MLflow server, without MLflow's client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from phytoflow.errors import ConfigError
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.rest.server import MlflowServer
from phytoflow.tracking.runs import read_runs
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker
from tests.support.services.mlflow_server import mlflow_server


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrackingSettings]:
    """A server with two runs, a trial of a search, and a run of another experiment."""
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_server(folder) as url:
        settings = TrackingSettings(uri=url)
        with Tracker.open(settings, folder, name="first") as tracker:
            tracker.log_params({"training": {"dropout": 0.2}})
            tracker.log_scalars({"test.accuracy": 0.9})
        with Tracker.open(settings, folder, name="second") as tracker:
            for step in (2, 0, 1):
                tracker.log_metrics({"train/loss": 1.0 - step / 4}, step=step)
            tracker.log_scalars({"test.accuracy": 0.95, "test.intervals.accuracy.low": 0.9})
        second, source = tracker.run_id, tracker.artifact_uri("bundle")
        with Tracker.open(settings, folder, name="trial 0", parent=second):
            pass
        with Tracker.open(settings.model_copy(update={"experiment": "other"}), folder, name="elsewhere"):
            pass
        client = open_store(settings, folder).client
        client.create_registered_model("leaf")
        version = client.create_model_version("leaf", source, run_id=second)
        client.set_registered_model_alias("leaf", "champion", version.version)
        yield settings


@pytest.fixture
def server(settings: TrackingSettings) -> MlflowServer:
    return MlflowServer(settings.uri, settings.experiment, settings.registered_model)


async def test_runs_are_those_that_mlflows_client_reads(
    settings: TrackingSettings, server: MlflowServer, tmp_path: Path
) -> None:
    expected = read_runs(settings, tmp_path, ["second", "first"])
    assert expected[0].curves == {"train/loss": [(0, 1.0), (1, 0.75), (2, 0.5)]}
    assert await server.read_runs([run.id for run in expected]) == expected
    listed = await server.newest_runs(10)
    assert listed == [replace(run, curves={}) for run in expected]  # neither trial nor other experiment
    assert await server.newest_runs(1) == listed[:1]


async def test_the_champions_run_is_known(server: MlflowServer) -> None:
    second = (await server.newest_runs(1))[0]
    assert await server.roles() == {second.id: ["champion"]}
    assert await replace(server, registered_model="oak").roles() == {}


async def test_runs_of_other_experiments_are_not_shown(server: MlflowServer) -> None:
    (elsewhere,) = await replace(server, experiment="other").newest_runs(5)
    for run_id in (elsewhere.id, "0" * 32):
        with pytest.raises(ConfigError, match="there is no run"):
            await server.read_runs([run_id])
    assert await replace(server, experiment="none").newest_runs(5) == []


def test_mlflow_is_not_imported() -> None:
    heavy = ["mlflow", "torch", "matplotlib", "pandas"]
    code = "import sys, serving.gateway.console.runs.page"
    code += f"; print([one for one in {heavy} if one in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
