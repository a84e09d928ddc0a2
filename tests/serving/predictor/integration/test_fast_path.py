"""The fast path and plain ASGI give the same responses, and both are taken when they should be."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from phytoflow.client.rest_codec import encode
from tests.support.make_bundle import pictures
from tests.support.services.servers import LIMITS, PLAIN_ASGI, Server, running

CONTENTS = [photo.content for photo in pictures(3)]
PHOTO = base64.b64encode(CONTENTS[0]).decode()
TENSOR = {"name": "photos", "datatype": "BYTES", "shape": [1], "data": [PHOTO]}
BINARY, BINARY_HEADERS = encode(CONTENTS, None)
JSON = json.dumps({"inputs": [TENSOR]}).encode()
OFFER = {
    "Connection": "Upgrade, HTTP2-Settings",
    "Upgrade": "h2c",
    "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA",
}
OUTPUTS = [{"name": "probabilities", "parameters": {"binary_data": True}}]
BAD_PHOTO = base64.b64encode(b"no photo").decode()
GOLDEN: dict[str, tuple[bytes, dict[str, str]]] = {
    "JSON": (JSON, {}),
    "binary photos": (BINARY, dict(BINARY_HEADERS)),
    "binary outputs": (json.dumps({"inputs": [TENSOR], "outputs": OUTPUTS}).encode(), {}),
    "an offer of HTTP/2": (JSON, OFFER),
    "gzip": (gzip.compress(JSON), {"Content-Encoding": "gzip"}),
    "no JSON": (b"{", {}),
    "no inputs": (b"{}", {}),
    "a photo that is none": (json.dumps({"inputs": [TENSOR | {"data": [BAD_PHOTO]}]}).encode(), {}),
    "too large": (b" " * (LIMITS["max_body_bytes"] + 1), {}),
    "an unknown encoding": (JSON, {"Content-Encoding": "br"}),
}


@pytest.fixture(scope="module")
def plain(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(bundle, tmp_path_factory.mktemp("plain") / "log", PLAIN_ASGI, **LIMITS) as server:
        yield server


@pytest.mark.parametrize("kind", GOLDEN)
def test_both_give_the_same(server: Server, plain: Server, kind: str) -> None:
    body, headers = GOLDEN[kind]
    fast = httpx.post(f"{server.model}/infer", content=body, headers=headers)
    slow = httpx.post(f"{plain.model}/infer", content=body, headers=headers)
    assert fast.status_code == slow.status_code
    for name in ("content-type", "retry-after", "accept-encoding", "server"):
        assert fast.headers.get(name) == slow.headers.get(name), name
    assert _lasting(fast) == _lasting(slow)


def test_plain_asgi_is_said_once(plain: Server, server: Server) -> None:
    text = "HttpToolsProtocol.on_body is missing or has other parameters"
    assert plain.log.read_text().count(text) == 1
    assert "slower path" not in server.log.read_text()


@pytest.mark.parametrize("running_server", ["server", "plain"])
def test_a_version_is_part_of_the_path_too(request: pytest.FixtureRequest, running_server: str) -> None:
    server: Server = request.getfixturevalue(running_server)
    version = httpx.get(server.model).json()["versions"][0]
    short = httpx.post(f"{server.model}/infer", content=JSON)
    assert _lasting(httpx.post(f"{server.model}/versions/{version}/infer", content=JSON)) == _lasting(short)


def test_only_infer_requests_take_the_fast_path(server: Server) -> None:
    assert httpx.get(f"{server.model}/infer").status_code == 405
    assert httpx.post(f"{server.url}/v2/models/another/infer", content=JSON).status_code == 404


def _lasting(response: httpx.Response) -> Any:
    """The content without what differs from request to request: ids and times."""
    length = response.headers.get("inference-header-content-length")
    fields = json.loads(response.content[: int(length)] if length else response.content)
    outputs = [output for output in fields.pop("outputs", []) if output["name"] != "milliseconds"]
    fields.pop("id", None)
    return fields, outputs, response.content[int(length) :] if length else b""
