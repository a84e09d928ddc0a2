"""Who is measured: what each framework needs, how it is asked, where its answer stands."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Body = tuple[str, bytes, dict[str, str]]
"""Content type, body, further headers."""
_BOUNDARY = "leafboundary"
_LENGTH = "Inference-Header-Content-Length"


@dataclass(frozen=True)
class Peer:
    """One framework.

    Attributes:
        name: As it is called.
        module: Its server, under ``benchmarks.serving.peers``.
        requirements: What its own environment gets; all else is the project's.
        path: Of a question.
        ready: Path that answers 200 once it can be asked.
        ask: A photo to a body.
        read: An answer's body to the probabilities.
        form: Of the model in the documented set-up.
    """

    name: str
    module: str
    requirements: tuple[str, ...]
    path: str
    ready: str
    ask: Callable[[bytes], Body]
    read: Callable[[bytes], Any]
    form: str = "torchscript"

    def request(self, content: bytes) -> bytes:
        """A whole HTTP request."""
        kind, body, headers = self.ask(content)
        headers = {"Host": "localhost", "Content-Type": kind, "Content-Length": str(len(body))} | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {self.path} HTTP/1.1\r\n{head}\r\n".encode() + body

    def probabilities(self, body: bytes) -> NDArray[np.float32]:
        """float32 [C] of an answer."""
        return np.asarray(self.read(body), np.float32).ravel()


def _json(body: Any) -> Body:
    return "application/json", json.dumps(body).encode(), {}


def _base64(content: bytes) -> str:
    return b64encode(content).decode()


def _form(field: str) -> Callable[[bytes], Body]:
    def ask(content: bytes) -> Body:
        disposition = f'Content-Disposition: form-data; name="{field}"; filename="leaf.jpg"'
        head = f"--{_BOUNDARY}\r\n{disposition}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        body = head + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
        return f"multipart/form-data; boundary={_BOUNDARY}", body, {}

    return ask


def _v2(shape: list[int]) -> Callable[[bytes], Body]:
    """V2's binary tensor: JSON, then the photo after its length."""

    def ask(content: bytes) -> Body:
        data = struct.pack("<I", len(content)) + content
        tensor: dict[str, Any] = {"name": "image", "datatype": "BYTES", "shape": shape}
        tensor["parameters"] = {"binary_data_size": len(data)}
        head = json.dumps({"inputs": [tensor], "outputs": [{"name": "probabilities"}]}).encode()
        return "application/octet-stream", head + data, {_LENGTH: str(len(head))}

    return ask


def _v2_json(content: bytes) -> Body:
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1, 1], "data": [_base64(content)]}
    return _json({"inputs": [tensor]})


def _v2_read(body: bytes) -> Any:
    return next(o["data"] for o in json.loads(body)["outputs"] if o["name"] == "probabilities")


_V2 = ("/v2/models/leaf/infer", "/v2/models/leaf/ready")
PEERS = (
    Peer("FastAPI", "fastapi_server", (), "/predict", "/health", _form("file"), json.loads, "eager"),
    Peer(
        "KServe",
        "kserve_server",
        (),
        "/v1/models/leaf:predict",
        "/v2/models/leaf/ready",
        lambda content: _json({"instances": [{"image": {"b64": _base64(content)}}]}),
        lambda body: json.loads(body)["predictions"],
    ),
    Peer(
        "LitServe",
        "litserve_server",
        ("litserve==0.2.19",),
        "/predict",
        "/health",
        lambda content: _json({"image": _base64(content)}),
        lambda body: json.loads(body)["probabilities"],
    ),
    Peer("MLServer", "mlserver_runtime", ("mlserver==1.7.1", "uvloop<0.22"), *_V2, _v2_json, _v2_read),
    Peer(
        "BentoML", "bentoml_service", ("bentoml==1.4.39",), "/predict", "/readyz", _form("image"), json.loads
    ),
    Peer("Triton", "triton_server", ("nvidia-pytriton==0.7.0",), *_V2, _v2([1, 1]), _v2_read),
)
BARE = Peer("bare", "bare_server", (), *_V2, _v2([1]), _v2_read)
OURS = Peer("phytoflow", "serving.predictor", (), *_V2, _v2([1]), _v2_read)
