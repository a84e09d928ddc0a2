"""The fault of one pod, for states that are not among the recorded ones (tests/.../test_reasons.py)."""

from __future__ import annotations

from typing import Any

import pytest

from phytoflow.deploy.kubernetes.diagnosis.pods import CONTAINER, INITIALIZER, diagnose_pod, format_log
from phytoflow.deploy.kubernetes.observe import Observation

Object = dict[str, Any]


def pod(*containers: Object, init: tuple[Object, ...] = (), phase: str = "Running") -> Object:
    limits = {"resources": {"limits": {"memory": "1Gi"}}}
    return {
        "metadata": {"name": "leaf-predictor-x"},
        "spec": {"containers": [{"name": CONTAINER} | limits]},
        "status": {
            "phase": phase,
            "containerStatuses": list(containers),
            "initContainerStatuses": list(init),
        },
    }


def ended(name: str, **terminated: object) -> Object:
    return {"name": name, "ready": False, "state": {"waiting": {}}, "lastState": {"terminated": terminated}}


def observed(*events: Object, log: str = "") -> Observation:
    about = [{"involvedObject": {"name": "leaf-predictor-x"}} | event for event in events]
    return Observation(None, None, [], about, logs=lambda *_: log)


def test_a_ready_pod_has_no_fault() -> None:
    assert diagnose_pod(pod({"name": CONTAINER, "ready": True, "state": {}}), observed(), 60) is None


def test_a_predictor_out_of_memory_names_its_limit_and_the_initializer_its_own() -> None:
    fault = diagnose_pod(pod(ended(CONTAINER, reason="OOMKilled", exitCode=137)), observed(), 60)
    assert fault is not None and fault.kind == "memory" and "1Gi" in fault.message
    fault = diagnose_pod(pod(init=(ended(INITIALIZER, reason="OOMKilled", exitCode=137),)), observed(), 60)
    assert fault is not None and "clusterstoragecontainer" in fault.remedy


def test_a_crash_quotes_the_predictors_own_remedy() -> None:
    log = '{"message": "port 8080 is in use\\n  What to do: choose another"}'
    fault = diagnose_pod(pod(ended(CONTAINER, exitCode=11, message=log)), observed(), 60)
    assert fault is not None and (fault.kind, fault.remedy) == ("crash", "choose another")
    assert "status 11" in fault.message and "port 8080" in fault.message


@pytest.mark.parametrize("code", [137, 1])
def test_a_predictor_killed_by_its_probe_is_told_from_a_crash(code: int) -> None:
    events = ({"reason": "Killing", "message": "failed startup probe, will be restarted"},) * (code == 1)
    fault = diagnose_pod(pod(ended(CONTAINER, exitCode=code)), observed(*events, log="loading"), 60)
    assert fault is not None and fault.kind == "probe" and "loading" in fault.message


def test_a_predictor_that_starts_has_time_until_the_timeout() -> None:
    started = {"running": {"startedAt": "2026-01-01T00:00:00+00:00"}}
    running = pod({"name": CONTAINER, "ready": False, "state": started})
    fault = diagnose_pod(running, observed(log="loading"), 60)
    assert fault is not None and "deploy.startup_timeout_seconds" in fault.remedy
    assert diagnose_pod(running, observed(log="loading"), 1e12) is None


def test_a_volume_that_cannot_be_mounted_is_named() -> None:
    event = {"reason": "FailedMount", "message": 'secret "phytoflow-s3" not found'}
    fault = diagnose_pod(pod(phase="Pending"), observed(event), 60)
    assert fault is not None and fault.kind == "volume" and "phytoflow-s3" in fault.message
    assert diagnose_pod(pod(phase="Running"), observed(event), 60) is None


def test_a_container_without_its_secret_is_named() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": 'secret "keys" not found'}
    fault = diagnose_pod(pod({"name": CONTAINER, "state": {"waiting": waiting}}), observed(), 60)
    assert fault is not None and fault.kind == "container" and "keys" in fault.message


def test_a_log_is_shortened_to_its_last_messages() -> None:
    lines = [f'{{"level": "INFO", "message": "line {number}"}}' for number in range(20)]
    shown = format_log("\n".join([*lines, "", "plain " + "x" * 1000])).splitlines()
    assert len(shown) == 8 and shown[0].strip() == "line 13"
    assert shown[-1].startswith("    plain xxx") and len(shown[-1]) < 410
    assert format_log("\n\n") == "    (no log)"
