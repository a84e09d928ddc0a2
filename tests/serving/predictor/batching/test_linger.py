"""Whether those who were answered are waited for, by what became of it before."""

from __future__ import annotations

import threading
import time

from serving.predictor.batching.linger import LingerPolicy


class Photos:
    """What waits, and whether others are busy."""

    def __init__(self) -> None:
        self.lock, self.waiting, self.busy = threading.Lock(), 0, True
        self.policy = LingerPolicy(self.lock, lambda: self.waiting, lambda: self.busy)

    def change(self, waiting: int, busy: bool = True) -> None:
        with self.lock:
            self.waiting, self.busy = waiting, busy
            self.policy.notify()

    def waited(self, photos: int, seconds: float) -> float:
        """Waits for so many; how long."""
        start = time.perf_counter()
        with self.lock:
            self.policy.linger(photos, seconds)
        return time.perf_counter() - start


def skipped(policy: LingerPolicy) -> int:
    """How often they are not waited for before they are again."""
    for times in range(1000):
        if policy.should_linger():
            return times
    raise AssertionError("never again")


def test_who_did_not_come_is_waited_for_less_and_less() -> None:
    policy, times = Photos().policy, list[int]()
    for _ in range(8):
        policy.record(came=False)
        times.append(skipped(policy))
    assert times == [0, 2, 6, 14, 30, 62, 62, 62]


def test_who_came_is_waited_for_again() -> None:
    policy = Photos().policy
    for _ in range(4):
        policy.record(came=False)
    policy.record(came=True)
    assert [policy.should_linger() for _ in range(3)] == [True] * 3
    policy.record(came=False)
    assert policy.should_linger()


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
    assert photos.policy.should_linger()


def test_who_is_late_twice_is_not_expected() -> None:
    photos = Photos()
    for expected in (True, False):
        assert 0.01 <= photos.waited(1, 0.01) < 10
        assert photos.policy.should_linger() is expected
