"""Who agrees with whom."""

import hashlib

import pytest

from serving.gateway.feedback.states import Outcome, Statement, asks_again, weigh

ANNA, BEN, RITA = "anna", "ben", "rita"


@pytest.mark.parametrize(
    ("statements", "outcome"),
    [
        ([], Outcome("none", None, False)),
        ([Statement(ANNA, None, "user")], Outcome("pending", None, False)),
        ([Statement(ANNA, "rust", "user")], Outcome("pending", "rust", False)),
        ([Statement(ANNA, "rust", "user"), Statement(BEN, "rust", "user")], Outcome("agreed", "rust", False)),
        (
            [Statement(ANNA, "rust", "user"), Statement(ANNA, "rust", "user")],
            Outcome("pending", "rust", False),
        ),
        ([Statement(ANNA, "rust", "user"), Statement(BEN, "scab", "user")], Outcome("pending", "scab", True)),
        (
            [Statement(ANNA, "rust", "user"), Statement(RITA, "rust", "reviewer")],
            Outcome("agreed", "rust", False),
        ),
        ([Statement(RITA, "rust", "reviewer")], Outcome("agreed", "rust", False)),
        (
            [Statement(ANNA, "rust", "user"), Statement(RITA, "scab", "reviewer")],
            Outcome("pending", "scab", True),
        ),
        ([Statement(ANNA, "rust", "user"), Statement(BEN, None, "user")], Outcome("pending", "rust", False)),
        (
            [Statement(ANNA, "rust", "user"), Statement(BEN, "rust", "blind")],
            Outcome("pending", "rust", False),
        ),
    ],
)
def test_statements(statements: list[Statement], outcome: Outcome) -> None:
    assert weigh(statements) == outcome


def test_one_in_a_hundred_is_asked_again() -> None:
    hashes = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(20_000)]
    assert 150 < sum(asks_again(one) for one in hashes) < 250
    assert [asks_again(one) for one in hashes[:50]] == [asks_again(one) for one in hashes[:50]]
