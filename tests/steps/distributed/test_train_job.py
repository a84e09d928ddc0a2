"""The train step's TrainJob: the dataset goes to the run's store once, and the job is the run's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.deploy.trainjob.render import Work
from phytoflow.steps.distributed import train_job as module
from phytoflow.steps.distributed.train_job import train_on_cluster
from phytoflow.steps.settings import TrainStepSettings
from phytoflow.system.progress import ProgressEvent
from tests.support.shard_folder import dataset_folder


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[Work]:
    """The TrainJobs that would be run."""
    seen: list[Work] = []

    class Connection:
        namespace = "plants"

        @classmethod
        def connect(cls, namespace: str = "") -> Any:
            return cls()

    monkeypatch.setattr(module, "Cluster", Connection)
    monkeypatch.setattr(module, "own_pod", lambda cluster: None)
    monkeypatch.setattr(module, "run_train_job", lambda cluster, work, settings, write: seen.append(work))
    return seen


def test_all_pods_can_read_the_dataset_and_the_job_has_the_runs_name(
    tmp_path: Path, jobs: list[Work], monkeypatch: pytest.MonkeyPatch
) -> None:
    step = {"metadata": {"name": "step", "uid": "1", "labels": {"pipeline/runid": "run-1"}}}
    monkeypatch.setattr(module, "own_pod", lambda cluster: step)
    chosen = ["training.nodes=2", "training.devices=4", "trainjob.image=mine:1"]
    settings = TrainStepSettings.of(load_settings(None, chosen))
    folder, output = tmp_path / "prepared", str(tmp_path / "out")
    dataset_folder(folder, {"train": 4, "validation": 2, "test": 2})
    for _ in range(2):  # the second is a step that is tried again
        train_on_cluster(folder, settings, output, f"{output}/checkpoints")
    first, second = jobs
    assert first == second and (first.nodes, first.devices, first.run) == (2, 4, "run-1")
    uri = first.arguments[first.arguments.index("--dataset") + 1]
    assert Dataset.open(uri).summary == Dataset.open(folder).summary
    assert [copy.name for copy in (tmp_path / "out" / "checkpoints").iterdir()] == [Path(uri).name]


def test_lines_of_the_log_are_printed_and_progress_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printer = module._Printer()
    printer.write("[train] epoch 1")
    printer.write(ProgressEvent("epochs", 1, 3, 2.0).to_line())
    assert capsys.readouterr().out == "[train] epoch 1\n"
