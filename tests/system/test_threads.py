import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.settings import DataSettings
from phytoflow.system import cpu
from phytoflow.system.threads import thread_count, thread_map
from tests.support.photo_folder import make_folder, scan_folder


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


@pytest.fixture
def half_a_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container limited to half a CPU, as Linux writes it into its cgroup, on a machine with 64."""
    (tmp_path / "cgroup").mkdir()
    (tmp_path / "cgroup" / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "self").write_text("0::/\n")
    monkeypatch.setattr(cpu, "CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(cpu, "MEMBERSHIP", tmp_path / "self")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)))


def test_a_containers_quota_limits_the_threads(half_a_cpu: None) -> None:
    assert thread_count(0) == 1
    assert thread_count(3) == 3, "an explicit setting is obeyed"


def test_the_data_steps_read_photos_on_as_many_threads_as_the_quota_has_cpus(
    half_a_cpu: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_folder(tmp_path / "photos", {"a": 12})
    readers = set()
    read_bytes = Path.read_bytes

    def read(path: Path) -> bytes:
        readers.add(threading.get_ident())
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", read)
    assert len(scan_folder(tmp_path / "photos", DataSettings())) == 12
    assert len(readers) == 1
