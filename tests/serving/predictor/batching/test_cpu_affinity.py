"""A lane keeps to its own CPU while all workers are needed, and only where each has one."""

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
def test_each_lane_has_a_cpu_while_it_is_crowded() -> None:
    def lane(number: int) -> None:
        affinity = CpuAffinity(number, len(CPUS))
        assert os.sched_getaffinity(0) == set(CPUS)
        affinity.pin(True)
        assert os.sched_getaffinity(0) == {CPUS[number]}
        affinity.pin(False)
        assert os.sched_getaffinity(0) == set(CPUS)

    for number in range(len(CPUS)):
        in_a_thread(partial(lane, number))


@pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs")
def test_a_thread_is_woken_on_the_cpu_of_a_crowded_lane() -> None:
    """And goes where it likes afterwards, whatever happens meanwhile."""
    end = threading.Event()
    sleeper = threading.Thread(target=end.wait)
    sleeper.start()
    thread = sleeper.native_id or 0

    def lane(number: int) -> None:
        affinity = CpuAffinity(number, len(CPUS))
        with affinity.waking_here(thread):
            assert os.sched_getaffinity(thread) == set(CPUS)
        affinity.pin(True)
        with pytest.raises(KeyError), affinity.waking_here(thread):
            assert os.sched_getaffinity(thread) == {CPUS[number]}
            raise KeyError
        assert os.sched_getaffinity(thread) == set(CPUS)

    for number in range(len(CPUS)):
        in_a_thread(partial(lane, number))
    end.set()
    sleeper.join()


@pytest.mark.parametrize(("cpus", "workers"), [({0, 1}, 3), ({0, 1}, 1), ({0}, 1)])
def test_where_lanes_and_cpus_differ_in_number_or_there_is_one_none_is_kept(
    monkeypatch: pytest.MonkeyPatch, cpus: set[int], workers: int
) -> None:
    """Nor is the system told anything: its own choice of CPUs may change while the predictor runs."""
    asked: list[object] = []

    def lane() -> None:
        affinity = CpuAffinity(0, workers)
        affinity.pin(True)
        with affinity.waking_here(0):
            pass

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: cpus)
    monkeypatch.setattr(os, "sched_setaffinity", lambda *what: asked.append(what))
    in_a_thread(lane)
    assert not asked


def test_a_sandbox_may_forbid_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise PermissionError

    def lane() -> None:
        affinity = CpuAffinity(0, len(CPUS))
        affinity.pin(True)
        with affinity.waking_here(0):
            pass

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    monkeypatch.setattr(os, "sched_setscheduler", forbidden)
    in_a_thread(lane)
