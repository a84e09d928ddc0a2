"""What one machine is too small for, on a Kubeflow Pipelines backend: parts, and a TrainJob of two pods."""

from __future__ import annotations

import pytest

from pipelines.submit import wait
from tests.e2e.kubeflow.runs import Runs, log_of, objects, step_pods, wait_until
from tests.e2e.names import own_name

MINUTES = 40 * 60
PARTS = 4
TRAINJOB = {"cpu_request": "200m", "memory_request": "256Mi", "memory": "3Gi"}
WHOLE, CANCELLED = own_name("whole"), own_name("cancelled")
RUN = "phytoflow.io/run={}"  # label of a run's TrainJob and of its pods
pytestmark = [pytest.mark.timeout(2 * MINUTES), pytest.mark.usefixtures("trainer")]


def datasets(runs: Runs, name: str) -> set[str]:
    """Folders of the dataset that a run copied for its TrainJob; named by a hash of the dataset."""
    return {path.split("/")[1] for path in runs.written(name) if path.startswith("checkpoints/dataset-")}


def test_photos_are_scanned_in_parts_and_two_pods_train(runs: Runs) -> None:
    run = runs.create(WHOLE, runs.package(PARTS), training={"nodes": 2}, trainjob=TRAINJOB)
    wait_until(lambda: len(objects("pods", "-l", RUN.format(run))) == 2, MINUTES, "the TrainJob's pods")
    wait(runs.backend, run, MINUTES)
    assert len(step_pods(run, "scan")) == PARTS and len(step_pods(run, "merge")) == 1
    (step,) = step_pods(run, "train")
    assert "submitted TrainJob" in log_of(step) and ": 2 pods" in log_of(step)
    assert objects("trainjobs", "-l", RUN.format(run)) == []
    assert {"bundle/bundle.json", "metrics.json", "report.html"} <= runs.written(WHOLE)


def test_a_cancelled_run_leaves_no_train_job_and_one_part_gives_the_same_dataset(runs: Runs) -> None:
    endless = {"nodes": 2, "finetune_epochs": 500}
    run = runs.create(CANCELLED, runs.package(), training=endless, trainjob=TRAINJOB)
    wait_until(
        lambda: any("epoch 1" in log_of(pod) for pod in step_pods(run, "train")), MINUTES, "a second epoch"
    )
    runs.backend.client.terminate_run(run)
    wait_until(lambda: objects("trainjobs", "-l", RUN.format(run)) == [], 120, "the TrainJob is deleted")
    wait_until(lambda: objects("pods", "-l", RUN.format(run)) == [], 120, "its pods are gone")
    wait_until(lambda: runs.state(run) in ("CANCELED", "FAILED"), 300, "the run has ended")
    assert datasets(runs, CANCELLED) == datasets(runs, WHOLE) and len(datasets(runs, WHOLE)) == 1
