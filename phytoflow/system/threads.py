"""The same work on many items, on a few threads, with a bounded number of items in memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from phytoflow.system.cpu import cpu_count

_T = TypeVar("_T")
_R = TypeVar("_R")
_PENDING_PER_THREAD = 8  # enough that one slow item does not leave the other threads idle


def make_idle_openmp_threads_sleep() -> None:
    """Sets ``OMP_WAIT_POLICY=PASSIVE`` unless it is set; call it before torch is first imported.

    By default idle OpenMP threads spin. When anything else wanted the cores (a container's quota, a second
    process), a training step took five times longer on two cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def thread_count(wanted: int) -> int:
    """``wanted``, or one thread for each CPU that this process may use if ``wanted`` is 0."""
    return wanted or cpu_count()


def thread_map(function: Callable[[_T], _R], items: Iterable[_T], threads: int = 0) -> Iterator[_R]:
    """Yields ``function(item)`` in the order of the items, computed on threads.

    Threads help because Pillow and hashlib release the interpreter lock. ``Executor.map`` would submit
    every item at once and keep every result; here at most eight items a thread are in memory, however many
    there are.

    Args:
        function: Called with each item; its exceptions are raised here.
        items: Taken one by one, as threads become free.
        threads: How many threads; 0: one for each CPU that this process may use.
    """
    threads = thread_count(threads)
    pending: deque[Future[_R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) >= _PENDING_PER_THREAD * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
