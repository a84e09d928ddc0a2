"""A worker stays on its own CPU while all workers are needed, if there is one CPU for each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial

import pytest

from serving.predictor.batching.cpu_affinity import CpuAffinity

CPUS = sorted(os.sched_getaffinity(0))


def in_a_thread(work: Callable[[], None]) -> None:
    """What a affinity does is done to its thread, which must not be the tests'."""
    failed: list[BaseException] = []

    def caught() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=caught)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")
def test_each_worker_has_a_cpu_while_the_pool_is_saturated() -> None:
    def worker(number: int) -> None:
        affinity = CpuAffinity(number, len(CPUS))
        assert os.sched_getaffinity(0) == set(CPUS)
        affinity.pin(True)
        assert os.sched_getaffinity(0) == {CPUS[number]}
        affinity.pin(False)
        assert os.sched_getaffinity(0) == set(CPUS)

    for number in range(len(CPUS)):
        in_a_thread(partial(worker, number))


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")
def test_a_thread_is_woken_on_the_cpu_of_a_saturated_worker() -> None:
    """And goes where it likes afterwards, whatever happens meanwhile."""
    end = threading.Event()
    sleeper = threading.Thread(target=end.wait)
    sleeper.start()
    thread = sleeper.native_id or 0

    def worker(number: int) -> None:
        affinity = CpuAffinity(number, len(CPUS))
        with affinity.waking_here(thread):
            assert os.sched_getaffinity(thread) == set(CPUS)
        affinity.pin(True)
        with pytest.raises(KeyError), affinity.waking_here(thread):
            assert os.sched_getaffinity(thread) == {CPUS[number]}
            raise KeyError
        assert os.sched_getaffinity(thread) == set(CPUS)

    for number in range(len(CPUS)):
        in_a_thread(partial(worker, number))
    end.set()
    sleeper.join()


@pytest.mark.parametrize(("cpus", "workers"), [({0, 1}, 3), ({0, 1}, 1), ({0}, 1)])
def test_no_worker_is_pinned_unless_each_has_a_cpu_of_several(
    monkeypatch: pytest.MonkeyPatch, cpus: set[int], workers: int
) -> None:
    """Nor is the system told anything: its own choice of CPUs may change while the predictor runs."""
    asked: list[object] = []

    def worker() -> None:
        affinity = CpuAffinity(0, workers)
        affinity.pin(True)
        with affinity.waking_here(0):
            pass

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *what: asked.append(what))
    in_a_thread(worker)
    assert not asked


def test_a_sandbox_may_forbid_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    def worker() -> None:
        affinity = CpuAffinity(0, len(CPUS))
        affinity.pin(True)
        with affinity.waking_here(0):
            pass

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    in_a_thread(worker)
