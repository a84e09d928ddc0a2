"""The body of a request, received within the limits."""

from __future__ import annotations

import pytest

from serving.predictor.errors import RequestError
from serving.predictor.transport.byte_budget import ByteBudget
from serving.predictor.transport.rest.body import RequestBody


def test_chunks_are_joined_in_order() -> None:
    body = RequestBody(ByteBudget(100), 10)
    assert body.join() == b""
    for chunk in (b"ab", b"", b"cde"):
        body.receive(chunk)
    assert body.join() == b"abcde"


@pytest.mark.parametrize("length", ["11", "99999999999999999999"])
def test_an_announced_length_beyond_the_limit_is_refused_before_reading(length: str) -> None:
    body = RequestBody(ByteBudget(100), 10, "--max_body_bytes")
    with pytest.raises(RequestError, match=r"may have 10 \(--max_body_bytes\)") as refused:
        body.check_announced(length)
    assert refused.value.status == 413


@pytest.mark.parametrize("length", ["", "10", "many", "-5"])
def test_a_length_that_says_nothing_wrong_passes(length: str) -> None:
    RequestBody(ByteBudget(100), 10).check_announced(length)


def test_more_than_announced_is_refused_and_not_counted() -> None:
    budget = ByteBudget(20)
    body = RequestBody(budget, 10)
    body.receive(b"x" * 10)
    with pytest.raises(RequestError, match="more than 10 bytes") as refused:
        body.receive(b"x")
    assert refused.value.status == 413
    budget.acquire(10)


def test_all_bodies_share_the_budget_until_they_are_released() -> None:
    budget = ByteBudget(10)
    first, second = RequestBody(budget, 10), RequestBody(budget, 10)
    first.receive(b"x" * 8)
    with pytest.raises(RequestError) as refused:
        second.receive(b"x" * 3)
    assert refused.value.status == 503
    first.release()
    first.release()  # the second time there is nothing to return
    second.receive(b"y" * 10)
    assert (first.join(), second.join()) == (b"", b"y" * 10)
    with pytest.raises(RequestError):
        budget.acquire(1)
