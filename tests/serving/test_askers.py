"""Whether those who were answered are waited for, by what became of it before."""

from __future__ import annotations

from serving.predictor.askers import Askers


def skipped(askers: Askers) -> int:
    """How often they are not waited for before they are again."""
    for times in range(1000):
        if askers.expected():
            return times
    raise AssertionError("never again")


def test_who_did_not_come_is_waited_for_less_and_less() -> None:
    askers, times = Askers(), []
    for _ in range(8):
        askers.learn(came=False)
        times.append(skipped(askers))
    assert times == [0, 2, 6, 14, 30, 62, 62, 62]


def test_who_came_is_waited_for_again() -> None:
    askers = Askers()
    for _ in range(4):
        askers.learn(came=False)
    askers.learn(came=True)
    assert [askers.expected() for _ in range(3)] == [True] * 3
    askers.learn(came=False)
    assert askers.expected()
