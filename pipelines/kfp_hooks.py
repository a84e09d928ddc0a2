"""Parts of KFP's local runner that a run replaces: how a step is started, and who hears of its cache.

KFP has no interface for this. Its version is pinned, and a test holds the names that are replaced.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kfp.local import cache, subprocess_task_handler

RunStep = Callable[[Sequence[str], Mapping[str, str] | None], int]
"""Runs a command with further environment variables; returns its exit code."""
_COMPONENT_PREFIX = "comp-"


def step_name(command: Sequence[str]) -> str:
    """Returns the name of the step that KFP's command runs."""
    return command[command.index("--function_to_execute") + 1]


@contextlib.contextmanager
def kfp_hooks(
    run_step: RunStep, on_skipped: Callable[[str], None], on_stored: Callable[[str], None]
) -> Iterator[None]:
    """Replaces parts of KFP's local runner while the block lasts.

    Args:
        run_step: Called for each step that is not in the cache.
        on_skipped: Called with the name of a step whose outputs are taken from the cache.
        on_stored: Called with the name of a step whose outputs are in the cache from now on.
    """

    class ObservedCache(cache.LocalCache):
        """KFP's cache; it computes the key of a step right before it looks the step up."""

        _step = ""

        def compute_key(self, component_name: str, *args: Any, **options: Any) -> str:
            self._step = component_name.removeprefix(_COMPONENT_PREFIX)
            return super().compute_key(component_name, *args, **options)

        def get(self, key: str) -> dict[str, Any] | None:
            outputs = super().get(key)
            if outputs is not None:
                on_skipped(self._step)
            return outputs

        def put(self, key: str, outputs: dict[str, Any]) -> None:
            super().put(key, outputs)
            on_stored(self._step)

    def run_local_subprocess(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        return run_step(full_command, env_vars)

    with (
        _replaced(subprocess_task_handler, "run_local_subprocess", run_local_subprocess),
        _replaced(cache, "LocalCache", ObservedCache),
    ):
        cache.reset_local_cache_singleton()
        try:
            yield
        finally:
            cache.reset_local_cache_singleton()


@contextlib.contextmanager
def _replaced(module: object, name: str, value: object) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)
