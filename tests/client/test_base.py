"""The blocking and the asyncio client over a wire without a network."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from phytoflow.client.base import AsyncioClient, SyncClient
from phytoflow.client.exchange import Exchange, Wire
from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction
from phytoflow.errors import ServingError

Batch = list[bytes]


class Echo(Wire[Batch, Batch]):
    """A request is its photos, a response the same; each prediction is labelled with its photo."""

    exceptions = (ConnectionError,)

    def encode(self, photos: Sequence[Photo], parameters: InferParameters) -> Batch:
        return [bytes(photo) for photo in photos]  # type: ignore[arg-type]

    def decode(self, response: Batch) -> list[Prediction]:
        return [Prediction(photo.decode(), 1.0, (), (), (), 0.0, "1") for photo in response]

    def retry_after(self, outcome: Batch | Exception) -> float | None:
        return 0.0 if isinstance(outcome, Exception) else None

    def error_of(self, outcome: Batch | Exception) -> ServingError | None:
        return ServingError(str(outcome)) if isinstance(outcome, Exception) else None


PHOTOS = [bytes([letter]) for letter in b"abcdefghij"]
NAMES = [photo.decode() for photo in PHOTOS]


class Calls:
    """Answers requests; fails the first ``failures`` of them; counts how many wait at a time."""

    def __init__(self, failures: int = 0) -> None:
        self.failures, self.sizes, self.waiting, self.most = failures, list[int](), 0, 0

    def __call__(self, request: Batch) -> Batch:
        self.sizes.append(len(request))
        if len(self.sizes) <= self.failures:
            raise ConnectionError("reset")
        return request

    async def wait(self, request: Batch) -> Batch:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await asyncio.sleep(0)
        self.waiting -= 1
        return self(request)


def exchange(retries: int = 2) -> Exchange[Batch, Batch]:
    return Exchange(Echo(), retries, 4)


def test_predictions_come_in_the_order_of_the_photos() -> None:
    calls = Calls()
    client = SyncClient(exchange(), calls)
    assert [p.label for p in client.predict(PHOTOS)] == NAMES
    assert calls.sizes == [4, 4, 2]


def test_a_lost_connection_repeats_the_request_alone() -> None:
    calls = Calls(failures=1)
    assert [p.label for p in SyncClient(exchange(), calls).predict(PHOTOS)] == NAMES
    assert calls.sizes == [4, 4, 4, 2]


def test_what_is_no_transport_failure_is_not_caught() -> None:
    def broken(request: Batch) -> Batch:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SyncClient(exchange(), broken).predict(PHOTOS)


async def test_asyncio_sends_requests_at_once_and_keeps_the_order() -> None:
    calls = Calls()
    assert [p.label for p in await AsyncioClient(exchange(), calls.wait).predict(PHOTOS)] == NAMES
    assert calls.most == 3


async def test_asyncio_explains_one_request_after_the_other() -> None:
    calls = Calls()
    assert [p.label for p in await AsyncioClient(exchange(), calls.wait).explain(PHOTOS)] == NAMES
    assert calls.most == 1


async def test_asyncio_gives_up_after_the_last_attempt() -> None:
    client = AsyncioClient(exchange(retries=1), Calls(failures=99).wait)
    with pytest.raises(ServingError, match="reset"):
        await client.predict(PHOTOS[:1])
