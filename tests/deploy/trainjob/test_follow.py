"""A TrainJob is followed to its end; why it waits is said once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.trainjob import follow as module
from phytoflow.deploy.trainjob.diagnosis import TRAIN_JOBS
from phytoflow.deploy.trainjob.follow import Follower, JobLog
from phytoflow.errors import DeployError
from tests.deploy.trainjob.conftest import NAME, TrainerServer

UNSCHEDULABLE = [
    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
]


class Story:
    """A clock whose sleeps let things happen: one event for each sleep."""

    def __init__(self, *events: Callable[[], object]) -> None:
        self.now, self.events = 0.0, list(events)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.events:
            self.events.pop(0)()


def follower(cluster: Cluster, story: Story, start_timeout: float = 100) -> Follower:
    cluster.create(TRAIN_JOBS, {"metadata": {"name": NAME}})
    return Follower(cluster, NAME, 1, start_timeout, clock=story.clock, sleep=story.sleep)


def test_it_waits_through_all_states_and_says_once_why(
    trainer: TrainerServer, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    pending = [lambda: trainer.set_pod(0, "Pending", conditions=UNSCHEDULABLE)] * 12
    story = Story(
        *pending, lambda: trainer.set_pod(0, "Running"), lambda: trainer.set_condition("Complete", "done")
    )
    follower(cluster, story).wait()
    assert [r.message.count("no node can take the next one: 0/1 nodes") for r in caplog.records] == [1]
    assert story.now < 60


def test_a_failed_one_raises_why(trainer: TrainerServer, cluster: Cluster) -> None:
    story = Story(lambda: trainer.set_condition("Failed", "jobset failed due to reaching max restarts"))
    with pytest.raises(DeployError, match="reaching max restarts"):
        follower(cluster, story).wait()


def test_one_that_is_deleted_by_hand_raises(cluster: Cluster) -> None:
    story = Story(lambda: cluster.delete(TRAIN_JOBS, NAME))
    with pytest.raises(DeployError, match="it is gone"):
        follower(cluster, story).wait()


def test_one_that_does_not_start_in_time_raises_what_it_waits_for(
    trainer: TrainerServer, cluster: Cluster
) -> None:
    trainer.set_pod(0, "Pending", conditions=UNSCHEDULABLE)
    with pytest.raises(DeployError, match="within 1 minutes: 0 of 1 pods have a node") as late:
        follower(cluster, Story(), start_timeout=60).wait()
    assert late.value.reason == "unschedulable" and "trainjob.cpu_request" in late.value.remedy


def test_each_line_of_the_log_is_written_once_over_restarts(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, logs = (
        list[str](),
        {
            "a": "2026-01-01T00:00:01.5Z one\n2026-01-01T00:00:01.7Z two\n",
            "b": "2026-01-01T00:00:01.1Z again\n",
        },
    )
    monkeypatch.setattr(cluster, "request", lambda method, path, query: logs[path.split("/")[-2]].encode())
    log = JobLog(cluster, lines.append)
    for name in ("a", "a", "b"):
        log.read({"metadata": {"name": name}, "status": {"phase": "Running"}})
    logs["b"] += "2026-01-01T00:00:02Z more\n"
    log.read({"metadata": {"name": "b"}, "status": {"phase": "Running"}})
    log.read(None)
    assert lines == ["one", "two", "again", "more"]
    assert module._POLL_SECONDS < 10
