import threading
from collections.abc import Iterator

import pytest

from phytoflow.system.threads import thread_count, thread_map


def test_results_come_in_order_from_several_threads() -> None:
    seen = set()
    both = threading.Barrier(2, timeout=10)

    def work(item: int) -> int:
        seen.add(threading.get_ident())
        if item < 2:
            both.wait()
        return item * item

    assert list(thread_map(work, range(100), threads=2)) == [item * item for item in range(100)]
    assert len(seen) == 2


def test_items_are_taken_as_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = thread_map(lambda item: item, items(), threads=2)
    next(results)
    assert len(taken) <= 17
    results.close()


def test_an_exception_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(thread_map(lambda item: 1 // item, [1, 0], threads=1))


def test_thread_count() -> None:
    assert thread_count(3) == 3
    assert thread_count(0) >= 1
