"""The pipeline's shape: parameters, order, caching and the gate."""

from __future__ import annotations

import json
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


def test_parts_are_scanned_side_by_side_and_merged(compiled_in_parts: list[dict[str, Any]]) -> None:
    components_ = compiled_in_parts[0]["components"]
    tasks = components_["comp-exit-handler-1"]["dag"]["tasks"]
    assert "preprocess" not in tasks
    (loop,) = (task for task in tasks.values() if "parameterIterator" in task)
    assert json.loads(loop["parameterIterator"]["items"]["raw"]) == [0, 1, 2, 3]
    scan = components_[loop["componentRef"]["name"]]["dag"]["tasks"]["scan"]
    assert scan["inputs"]["parameters"]["parts"]["runtimeValue"]["constant"] == 4
    assert scan["cachingOptions"]["enableCache"]  # a part that is done is not done again
    tables = components_["comp-merge"]["inputDefinitions"]["artifacts"]["parts"]
    assert tables["isArtifactList"]
    assert tasks["train"]["inputs"]["artifacts"]["dataset"]["taskOutputArtifact"]["producerTask"] == "merge"


def test_one_part_is_the_preprocess_step_alone(compiled: list[dict[str, Any]]) -> None:
    components_ = compiled[0]["components"]
    assert not {"comp-scan", "comp-merge"} & components_.keys()
    assert "preprocess" in components_["comp-exit-handler-1"]["dag"]["tasks"]
