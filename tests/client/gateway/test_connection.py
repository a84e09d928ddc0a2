"""When a request is sent again, and how long the client waits."""

from __future__ import annotations

import httpx
import pytest

from phytoflow.client.gateway import calls
from phytoflow.client.gateway.connection import Connection
from phytoflow.client.gateway.errors import GatewayError
from phytoflow.errors import ServingError

PREDICT, QUOTA = calls.predict(b"photo", 3, False, "none"), calls.quota()


def connection(retries: int = 2, max_wait: float = 60) -> Connection:
    return Connection("http://gateway", "token", "", 10, retries, max_wait)


def refused(status: int, **headers: str) -> httpx.Response:
    problem = {"detail": "no", "reason": "limited", "remedy": "wait", "status": status}
    return httpx.Response(status, json=problem, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_the_gateways_wait_is_kept(status: int) -> None:
    it = connection()
    waits = it.delays()
    assert it.wait_after(PREDICT, refused(status, Retry_After="7"), waits) == 7
    assert 0 < (it.wait_after(PREDICT, refused(status), waits) or 0) < 1
    with pytest.raises(GatewayError) as caught:
        it.wait_after(PREDICT, refused(status), waits)
    assert (caught.value.status, caught.value.reason, caught.value.remedy) == (status, "limited", "wait")


def test_a_wait_that_is_too_long_is_an_error() -> None:
    it = connection(max_wait=5)
    with pytest.raises(GatewayError):
        it.wait_after(PREDICT, refused(429, Retry_After="6"), it.delays())


@pytest.mark.parametrize("status", [400, 401, 404, 409, 410, 413, 415, 422, 500])
def test_other_refusals_are_final(status: int) -> None:
    it = connection()
    with pytest.raises(GatewayError):
        it.wait_after(QUOTA, refused(status), it.delays())


def test_a_photo_is_not_sent_twice_after_a_lost_connection() -> None:
    it, lost = connection(), httpx.ReadError("lost")
    assert it.wait_after(QUOTA, lost, it.delays()) is not None
    with pytest.raises(ServingError, match="cannot be reached: lost"):
        it.wait_after(PREDICT, lost, it.delays())
    assert it.wait_after(PREDICT, httpx.ConnectError("refused"), it.delays()) is not None  # it was never sent


def test_a_good_response_ends_it() -> None:
    it = connection()
    response = httpx.Response(200, json={"limit": 10, "remaining": 9, "reset_seconds": 0, "new": 1})
    assert it.wait_after(QUOTA, response, it.delays()) is None
    assert it.read(QUOTA, response).remaining == 9
    with pytest.raises(ServingError, match="unexpected answer"):
        it.read(QUOTA, httpx.Response(200, text="<html>"))


def test_credentials_in_the_url_are_not_told() -> None:
    assert Connection("http://me:secret@gateway", "t", "", 1, 0, 0).url == "http://gateway"
