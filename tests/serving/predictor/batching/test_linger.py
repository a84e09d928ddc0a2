"""Whether those who were answered are waited for, by what became of it before."""

from __future__ import annotations

import threading
import time

from serving.predictor.batching.linger import Askers


class Photos:
    """What waits, and whether others are busy."""

    def __init__(self) -> None:
        self.lock, self.waiting, self.busy = threading.Lock(), 0, True
        self.askers = Askers(self.lock, lambda: self.waiting, lambda: self.busy)

    def change(self, waiting: int, busy: bool = True) -> None:
        with self.lock:
            self.waiting, self.busy = waiting, busy
            self.askers.tell()

    def waited(self, photos: int, seconds: float) -> float:
        """Waits for so many; how long."""
        start = time.perf_counter()
        with self.lock:
            self.askers.wait_for(photos, seconds)
        return time.perf_counter() - start


def skipped(askers: Askers) -> int:
    """How often they are not waited for before they are again."""
    for times in range(1000):
        if askers.expected():
            return times
    raise AssertionError("never again")


def test_who_did_not_come_is_waited_for_less_and_less() -> None:
    askers, times = Photos().askers, list[int]()
    for _ in range(8):
        askers.learn(came=False)
        times.append(skipped(askers))
    assert times == [0, 2, 6, 14, 30, 62, 62, 62]


def test_who_came_is_waited_for_again() -> None:
    askers = Photos().askers
    for _ in range(4):
        askers.learn(came=False)
    askers.learn(came=True)
    assert [askers.expected() for _ in range(3)] == [True] * 3
    askers.learn(came=False)
    assert askers.expected()


def test_they_are_waited_for_until_there_are_enough() -> None:
    photos = Photos()
    threading.Timer(0.02, photos.change, [3]).start()
    threading.Timer(0.08, photos.change, [4]).start()
    assert 0.05 < photos.waited(4, 20) < 10


def test_they_are_not_waited_for_once_nobody_is_busy_and_that_says_nothing_of_them() -> None:
    photos = Photos()
    for _ in range(2):
        photos.busy = True
        threading.Timer(0.02, photos.change, [0, False]).start()
        assert photos.waited(4, 20) < 10
    assert photos.askers.expected()


def test_who_is_late_twice_is_not_expected() -> None:
    photos = Photos()
    for expected in (True, False):
        assert 0.01 <= photos.waited(1, 0.01) < 10
        assert photos.askers.expected() is expected
