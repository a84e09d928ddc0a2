"""Backoff within its bounds, and Retry-After read strictly."""

import pytest

from phytoflow.client.retry import delays, retry_after


def test_delays_double_up_to_five_seconds() -> None:
    bounds = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    for delay, most in zip(delays(8), bounds, strict=True):
        assert most / 2 <= delay <= most


def test_clients_do_not_return_together() -> None:
    assert len({next(delays(1)) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("", 0.0), ("0", 0.0), ("2", 2.0), ("60", 5.0), ("-1", 0.0), ("soon", 0.0), ("²", 0.0)],
)
def test_retry_after_is_bounded_and_never_raises(value: str, seconds: float) -> None:
    assert retry_after({"Retry-After": value} if value else {}) == seconds
