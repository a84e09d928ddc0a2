"""Bytes of all requests in progress."""

from __future__ import annotations

import pytest

from serving.predictor.errors import RequestError
from serving.predictor.transport.byte_budget import ByteBudget


def test_the_limit_itself_fits_and_one_byte_more_does_not() -> None:
    budget = ByteBudget(10)
    budget.acquire(4)
    budget.acquire(6)
    with pytest.raises(RequestError) as refused:
        budget.acquire(1)
    assert (refused.value.status, refused.value.reason) == (503, "overloaded")


def test_a_refused_request_reserves_nothing() -> None:
    budget = ByteBudget(10)
    budget.acquire(8)
    with pytest.raises(RequestError):
        budget.acquire(5)
    budget.acquire(2)  # would be refused if the five had been counted


def test_released_bytes_can_be_used_again() -> None:
    budget = ByteBudget(10)
    budget.acquire(10)
    budget.release(7)
    budget.acquire(7)
    with pytest.raises(RequestError):
        budget.acquire(1)
