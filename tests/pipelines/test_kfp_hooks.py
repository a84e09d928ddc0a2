"""KFP's local runner calls what a run puts in its place."""

import inspect
from pathlib import Path

import pytest
from kfp import dsl, local
from kfp.local import cache, subprocess_task_handler

from pipelines.kfp_hooks import kfp_hooks, step_name


@dsl.component(base_image="python", install_kfp_package=False)
def train(text: str) -> str:
    return text.upper()


@dsl.pipeline
def run(text: str) -> None:
    train(text=text)


def test_steps_run_through_the_hook_and_the_cache_is_observed(tmp_path: Path) -> None:
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), enable_caching=True)
    original = subprocess_task_handler.run_local_subprocess
    happened: list[str] = []

    def run_step(command: object, variables: object) -> int:
        happened.append(f"run {step_name(command)}")  # type: ignore[arg-type]
        return original(command, variables)

    skipped, stored = (lambda s: happened.append(f"skip {s}")), (lambda s: happened.append(f"store {s}"))
    for text in ("a", "a", "b"):
        with kfp_hooks(run_step, skipped, stored):
            run(text=text)
    assert happened == ["run train", "store train", "skip train", "run train", "store train"]


def test_an_exception_passes_through_and_everything_is_put_back(tmp_path: Path) -> None:
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path), enable_caching=True)
    before = subprocess_task_handler.run_local_subprocess, cache.LocalCache

    def interrupt(command: object, variables: object) -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), kfp_hooks(interrupt, print, print):
        run(text="a")
    assert (subprocess_task_handler.run_local_subprocess, cache.LocalCache) == before


def test_the_replaced_names_are_those_of_the_pinned_kfp() -> None:
    parameters = inspect.signature(subprocess_task_handler.run_local_subprocess).parameters
    assert list(parameters) == ["full_command", "env_vars"]
    assert list(inspect.signature(cache.LocalCache.get).parameters) == ["self", "key"]
    assert list(inspect.signature(cache.LocalCache.put).parameters) == ["self", "key", "outputs"]
