"""Diagnoses of predictors that could not start, from recordings of a real cluster (``recorded/``)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from phytoflow.deploy.kubernetes.diagnosis.reasons import diagnose
from phytoflow.deploy.kubernetes.observe import Observation

RECORDED = Path(__file__).parent / "recorded"
REVISION = "rev1"
REASONS = {
    "image": ("image", ["registry.invalid/phytoflow/none:1", "no such host", "imagePullSecrets"]),
    "creds": ("credentials", ["403", "Forbidden", "ServiceAccount wrong"]),
    "away": ("storage", ["no-such-store.minio:9000", "s3-endpoint"]),
    "missing": ("bundle", ["No model found in none", "--bundle"]),
    "memory": ("memory", ["the predictor ran out of memory", "48Mi", "deploy.memory"]),
    "gpu": ("gpu", ["Insufficient nvidia.com/gpu", "deploy.accelerators"]),
    "quota": ("quota", ["exceeded quota: small", "limits.memory", "kubectl describe resourcequota"]),
    "policy": ("policy", ["violates PodSecurity", "ServingRuntime"]),
    "noaccount": ("service account", ["nobody", "deploy.service_account"]),
    "noruntime": ("runtime", ["none", "deploy.runtime"]),
    "nowhere": ("bundle", ["nowhere://x", "not supported", "s3://"]),
    "crash": ("crash", ["status 8", "recorded answers", "export the bundle again"]),
    "probe": ("probe", ["Readiness probe failed", "404", "deploy.startup_timeout_seconds"]),
}


def recorded(name: str) -> Observation:
    """Returns a recorded observation."""
    objects = json.loads((RECORDED / f"{name}.json").read_text())
    logs = {(log["pod"], log["container"], log["previous"]): log["text"] for log in objects.pop("logs")}
    reader = lambda pod, container, previous: logs.get((pod, container, previous), "")  # noqa: E731
    return Observation(**objects, logs=reader)


def test_every_recording_is_read() -> None:
    assert {file.stem for file in RECORDED.glob("*.json")} == REASONS.keys() | {"ready"}


@pytest.mark.parametrize("name", REASONS)
def test_each_fault_is_named_with_what_to_do(name: str) -> None:
    kind, words = REASONS[name]
    reason = diagnose(recorded(name), REVISION)
    assert reason is not None and reason.kind == kind
    text = f"{reason.message}\n{reason.remedy}"
    assert [word for word in words if word not in text] == []
    assert not recorded(name).rolled_out(REVISION)


def test_a_crash_is_explained_by_the_log_on_the_other_side_of_a_restart() -> None:
    seen = recorded("crash")
    moved = replace(seen, logs=lambda pod, container, previous: seen.logs(pod, container, not previous))
    reason = diagnose(moved, REVISION)
    assert reason is not None and "recorded answers" in reason.message


def test_a_crash_is_explained_by_its_status_whatever_the_log_has_become() -> None:
    seen = recorded("crash")
    container = seen.pods[0]["status"]["containerStatuses"][0]
    container["lastState"]["terminated"]["message"] = seen.logs(
        seen.pods[0]["metadata"]["name"], container["name"], True
    )
    begun = replace(seen, logs=lambda pod, container, previous: '{"message":"loading the bundle"}')
    reason = diagnose(begun, REVISION)
    assert reason is not None and "recorded answers" in reason.message
    assert "export the bundle again" in reason.remedy


def test_a_ready_predictor_has_no_fault() -> None:
    seen = recorded("ready")
    assert diagnose(seen, REVISION) is None
    assert seen.rolled_out(REVISION)
    assert not seen.rolled_out("another")


@pytest.mark.parametrize("name", ["image", "creds", "gpu", "crash"])
def test_pods_of_another_revision_do_not_count(name: str) -> None:
    assert diagnose(recorded(name), "another") is None


def test_a_slow_start_is_no_fault_until_it_took_too_long() -> None:
    assert diagnose(recorded("probe"), REVISION, startup_timeout_seconds=10**12) is None


def test_a_node_on_its_way_is_waited_for() -> None:
    seen = recorded("gpu")
    pod = seen.pods[0]["metadata"]["name"]
    coming = {"involvedObject": {"name": pod}, "reason": "TriggeredScaleUp", "message": "pod triggered"}
    assert diagnose(Observation(seen.service, seen.deployment, seen.pods, [coming]), REVISION) is None
