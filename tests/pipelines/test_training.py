"""The pipeline's shape: parameters, order, caching and the gate."""

from __future__ import annotations

from typing import Any


def test_parameters_are_described_and_what_publishes_is_never_cached(compiled: list[dict[str, Any]]) -> None:
    for name, spec in compiled[0]["root"]["inputDefinitions"]["parameters"].items():
        assert spec["description"], name
    components_ = compiled[0]["components"]
    tasks = dict(compiled[0]["root"]["dag"]["tasks"])
    for component in components_.values():
        tasks |= component.get("dag", {}).get("tasks", {})
    cached = {n for n, t in tasks.items() if t.get("cachingOptions", {}).get("enableCache")}
    assert cached == {"preprocess", "train", "export", "evaluate"}


def test_however_the_run_ends_it_says_so(compiled: list[dict[str, Any]]) -> None:
    last = compiled[0]["root"]["dag"]["tasks"]["finish"]
    assert last["triggerPolicy"]["strategy"] == "ALL_UPSTREAM_TASKS_COMPLETED"
    assert last["dependentTasks"] == ["exit-handler-1"]


def test_the_gate_stands_before_register_and_publish(compiled: list[dict[str, Any]]) -> None:
    tasks = compiled[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert "gate" in tasks and "register" not in tasks and "publish" not in tasks
    conditions = {
        name: set(spec["dag"]["tasks"])
        for name, spec in compiled[0]["components"].items()
        if name.startswith("comp-condition-") and "branches" not in name
    }
    assert {"register", "publish"} in conditions.values() and {"refuse"} in conditions.values()
