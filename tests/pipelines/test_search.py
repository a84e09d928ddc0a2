"""The shape of the pipeline that searches; tests/slow/search runs it."""

from __future__ import annotations

import json
from typing import Any

from components.configure import configure
from components.search.configure_search import configure_search
from pipelines.training import build


def test_workers_share_a_search_that_is_opened_before_and_concluded_after(
    compiled_search: list[dict[str, Any]],
) -> None:
    components_ = compiled_search[0]["components"]
    tasks = components_["comp-exit-handler-1"]["dag"]["tasks"]
    ((name, loop),) = ((name, task) for name, task in tasks.items() if "parameterIterator" in task)
    assert json.loads(loop["parameterIterator"]["items"]["raw"]) == [0, 1, 2]
    assert "open-search" in loop["dependentTasks"]
    workers = tasks["conclude-search"]["inputs"]["parameters"]["workers"]["taskOutputParameter"]
    assert workers["producerTask"] == name  # after all of them
    best = tasks["configure"]["inputs"]["parameters"]["overrides"]["taskOutputParameter"]
    assert best["producerTask"] == "conclude-search"
    settings = tasks["train"]["inputs"]["parameters"]["settings"]["taskOutputParameter"]
    assert settings["producerTask"] == "configure"


def test_a_worker_is_given_no_output_of_a_task_as_a_parameter(compiled_search: list[dict[str, Any]]) -> None:
    """KFP's local runner would replace it by the number of the worker."""
    tasks = compiled_search[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    (loop,) = (task for task in tasks.values() if "parameterIterator" in task)
    assert all("componentInputParameter" in value for value in loop["inputs"]["parameters"].values())


def test_trials_are_never_cached(compiled_search: list[dict[str, Any]]) -> None:
    tasks = {}
    for component in compiled_search[0]["components"].values():
        tasks |= component.get("dag", {}).get("tasks", {})
    cached = {name for name, task in tasks.items() if task.get("cachingOptions", {}).get("enableCache")}
    assert cached == {"preprocess", "train", "export", "evaluate"}


def test_its_parameters_are_those_of_the_training_and_the_search(
    compiled_search: list[dict[str, Any]],
) -> None:
    parameters = compiled_search[0]["root"]["inputDefinitions"]["parameters"]
    assert all(parameter["description"] for parameter in parameters.values())
    assert set(parameters) == {"search", *build().component_spec.inputs}
    assert set(configure_search.component_spec.inputs) == {"search", *configure.component_spec.inputs}
