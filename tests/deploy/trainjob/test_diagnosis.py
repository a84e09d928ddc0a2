"""Why a TrainJob does not run: the words for what the cluster shows."""

from __future__ import annotations

from typing import Any

import pytest

from phytoflow.deploy.trainjob.diagnosis import FIRST_POD, JobState, diagnose, explain_failure

Object = dict[str, Any]
JOB: Object = {"metadata": {"name": "t"}, "status": {}}


def pod(number: int, phase: str = "Pending", gpu: bool = False, **status: Any) -> Object:
    limits = {"cpu": "1", **({"nvidia.com/gpu": "2"} if gpu else {})}
    return {
        "metadata": {"name": f"t-node-0-{number}", "labels": {FIRST_POD: str(number)}},
        "spec": {"containers": [{"name": "node", "resources": {"limits": limits}}]},
        "status": {"phase": phase, **status},
    }


def unschedulable(message: str, reason: str = "Unschedulable") -> list[Object]:
    return [{"type": "PodScheduled", "status": "False", "reason": reason, "message": message}]


def waiting(reason: str, message: str) -> list[Object]:
    return [{"name": "node", "image": "x:1", "state": {"waiting": {"reason": reason, "message": message}}}]


def warning(kind: str, message: str) -> Object:
    return {"type": "Warning", "message": message, "involvedObject": {"kind": kind, "name": "t"}}


def suspended(message: str) -> Object:
    return JOB | {"status": {"conditions": [{"type": "Suspended", "status": "True", "message": message}]}}


NO_GPU = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
CASES = [
    (JobState(JOB, 2, [pod(0, gpu=True, conditions=unschedulable(NO_GPU))]), "gpu", NO_GPU),
    (
        JobState(JOB, 2, [pod(0, "Running"), pod(1, conditions=unschedulable("no memory"))]),
        "unschedulable",
        "1 of 2 pods have a node",
    ),
    (JobState(JOB, 1, [pod(0, conditions=unschedulable("", "SchedulingGated"))]), "gang", "all of them"),
    (
        JobState(JOB, 1, [pod(0, containerStatuses=waiting("ErrImagePull", "no such tag"))]),
        "image",
        "x:1 cannot be pulled: no such tag",
    ),
    (
        JobState(JOB, 1, [pod(0, containerStatuses=waiting("CreateContainerConfigError", "no secret s"))]),
        "container",
        "no secret s",
    ),
    (JobState(JOB, 1, [], [warning("Job", "exceeded quota: phytoflow")]), "quota", "exceeded quota"),
    (
        JobState(JOB, 1, [], [warning("TrainJob", 'TrainingRuntime "r" not found')]),
        "refused",
        '"r" not found',
    ),
    (JobState(suspended("quota of team is used up"), 1), "queue", "quota of team is used up"),
]


@pytest.mark.parametrize(("state", "kind", "words"), CASES, ids=[case[1] for case in CASES])
def test_what_keeps_it_from_running_is_named_with_a_remedy(state: JobState, kind: str, words: str) -> None:
    reason = diagnose(state)
    assert reason is not None and reason.kind == kind and words in reason.message and reason.remedy


@pytest.mark.parametrize(
    "state",
    [JobState(JOB, 2, [pod(0, "Running"), pod(1, "Running")]), JobState(JOB, 2, [pod(0)]), JobState(JOB, 1)],
)
def test_what_runs_or_has_just_been_made_has_no_reason(state: JobState) -> None:
    assert diagnose(state) is None


def test_a_failure_has_the_end_of_the_log() -> None:
    failed = JOB | {
        "status": {"conditions": [{"type": "Failed", "status": "True", "message": "restarts: 5"}]}
    }
    assert "restarts: 5; end of its log:\n    out of memory" in explain_failure(
        JobState(failed, 1), "out of memory"
    )
    assert "it is gone" in explain_failure(JobState(None, 1), "")
