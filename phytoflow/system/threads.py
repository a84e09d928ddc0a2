"""The same work on many items, on threads, with a bounded number in hand."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


def make_idle_openmp_threads_sleep() -> None:
    """Sets ``OMP_WAIT_POLICY=PASSIVE`` unless it is set; call it before torch is first imported.

    By default idle OpenMP threads spin. Where anything else wants the cores (a container's quota, a second
    process) a training step took five times longer on two cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def thread_count(wanted: int) -> int:
    """``wanted``, or as many as this process may use CPUs where it is 0."""
    return wanted or len(os.sched_getaffinity(0))


def thread_map(function: Callable[[_T], _R], items: Iterable[_T], threads: int = 0) -> Iterator[_R]:
    """Yields ``function(item)`` in the items' order; Pillow and hashlib free the interpreter meanwhile.

    ``Executor.map`` would submit every item at once and keep every result: here at most eight items a
    thread are waiting, so that memory stays bounded however many photos there are.

    Args:
        function: What is done with each item; its exceptions are raised here.
        items: What it is done with; taken as needed.
        threads: How many threads; 0: one a CPU.
    """
    threads = thread_count(threads)
    pending: deque[Future[_R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= 8 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
