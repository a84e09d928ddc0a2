"""The same photos as whole HTTP requests, to the predictor and to the gateway."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence


def _http(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def v2_request(photos: Sequence[bytes], *, features: bool = False) -> bytes:
    """A V2 request in the form in which the gateway asks."""
    raw = b"".join(struct.pack("<I", len(photo)) + photo for photo in photos)
    names = ["labels", "scores", "probabilities", "known", "novelty"]
    outputs = [{"name": name} for name in names]
    outputs += [{"name": "features", "parameters": {"binary_data": True}}] if features else []  # type: ignore[dict-item]
    tensor = {"name": "photos", "shape": [len(photos)], "datatype": "BYTES"}
    tensor["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps({"parameters": {"top_k": 3}, "inputs": [tensor], "outputs": outputs}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return _http("/v2/models/leaf/infer", headers, head + raw)


def gateway_request(photo: bytes, token: str) -> bytes:
    """A photo as an image body, as an application sends it."""
    headers = {"Content-Type": "image/jpeg", "Authorization": f"Bearer {token}"}
    return _http("/v1/predict", headers, photo)


def gateway_batch(photos: Sequence[bytes], token: str) -> bytes:
    """Photos as a multipart form."""
    parts = [
        b'--bound\r\nContent-Disposition: form-data; name="files"; filename="%d.jpg"\r\n\r\n' % number + photo
        for number, photo in enumerate(photos)
    ]
    body = b"\r\n".join(parts) + b"\r\n--bound--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=bound", "Authorization": f"Bearer {token}"}
    return _http("/v1/predict_batch", headers, body)
