"""Attempts and requests without a network: a wire whose responses are numbers, errors below zero."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from phytoflow.client.exchange import Exchange, Wire
from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction
from phytoflow.errors import ServingError


class Numbers(Wire[int, int]):
    """A request is its number of photos. Responses below -1 are final errors, -1 passes after 3 seconds."""

    def encode(self, photos: Sequence[Photo], parameters: InferParameters) -> int:
        return len(photos)

    def decode(self, response: int) -> list[Prediction]:
        return []

    def retry_after(self, outcome: int | Exception) -> float | None:
        return 0.0 if isinstance(outcome, Exception) else {-1: 3.0}.get(outcome)

    def error_of(self, outcome: int | Exception) -> ServingError | None:
        failed = isinstance(outcome, Exception) or outcome < 0
        return ServingError(f"failed: {outcome}") if failed else None


def exchange(retries: int = 2) -> Exchange[int, int]:
    return Exchange(Numbers(), retries, 16)


def test_a_good_response_ends_it() -> None:
    assert exchange().attempts().delay_after(5) is None


def test_a_lost_connection_is_tried_as_often_as_said() -> None:
    attempts, lost = exchange().attempts(), OSError("reset")
    first, second = attempts.delay_after(lost), attempts.delay_after(lost)
    assert first is not None and second is not None
    assert 0.05 <= first <= 0.1 <= second <= 0.2
    with pytest.raises(ServingError, match="reset") as caught:
        attempts.delay_after(lost)
    assert caught.value.__cause__ is lost


def test_the_server_may_ask_for_a_longer_wait() -> None:
    assert exchange().attempts().delay_after(-1) == 3.0


def test_a_final_error_uses_up_no_attempt() -> None:
    attempts = exchange(1).attempts()
    with pytest.raises(ServingError, match="-2"):
        attempts.delay_after(-2)
    assert attempts.delay_after(-1) == 3.0


@pytest.mark.parametrize(
    ("parameters", "sizes"),
    [
        (InferParameters(), [16, 16, 8]),
        (InferParameters(tta="flips"), [4] * 10),
        (InferParameters(tta="crops"), [1] * 40),
        (InferParameters(tta="unknown"), [16, 16, 8]),
        (InferParameters(explain=True), [4] * 10),
    ],
)
def test_views_and_explanations_make_requests_smaller(parameters: InferParameters, sizes: list[int]) -> None:
    assert list(exchange().requests([b"x"] * 40, parameters)) == sizes
