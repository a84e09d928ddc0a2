"""The short way in answers as the long one does: through FastAPI, by the version's own path."""

from __future__ import annotations

import base64

import httpx
import pytest

from tests.support.make_bundle import pictures
from tests.support.servers import Server

PHOTO = base64.b64encode(pictures(1)[0].content).decode()
ASKED = {"inputs": [{"name": "photos", "datatype": "BYTES", "shape": [1], "data": [PHOTO]}]}


@pytest.fixture(scope="module")
def version(server: Server) -> str:
    return httpx.get(server.model).json()["versions"][0]


@pytest.mark.parametrize(
    "body", [ASKED, {}, {"inputs": []}, {"inputs": [{**ASKED["inputs"][0], "data": ["!"]}]}]
)
def test_both_ways_give_the_same(server: Server, version: str, body: dict[str, object]) -> None:
    short = httpx.post(f"{server.model}/infer", json=body)
    long = httpx.post(f"{server.model}/versions/{version}/infer", json=body)
    assert short.status_code == long.status_code
    assert short.headers["content-type"] == long.headers["content-type"]
    assert _lasting(short) == _lasting(long)


def test_only_questions_take_it(server: Server) -> None:
    assert httpx.get(f"{server.model}/infer").status_code == 405
    assert httpx.post(f"{server.url}/v2/models/another/infer", json=ASKED).status_code == 404


def _lasting(response: httpx.Response) -> dict[str, object]:
    """Without what differs from request to request."""
    body = response.json()
    outputs = [output for output in body.get("outputs", []) if output["name"] != "milliseconds"]
    return {key: value for key, value in body.items() if key not in ("id", "outputs")} | {"outputs": outputs}
