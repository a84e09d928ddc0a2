"""V2 over gRPC: requests and answers as their messages, photos and tensors as raw bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

from phytoflow.client import rest_codec as v2
from phytoflow.client.prediction import Answer
from phytoflow.client.rest_codec import Photo
from phytoflow.errors import ServingError
from phytoflow.protocol.grpc_messages import InferRequest

_FIELDS = {bool: "bool_param", int: "int64_param", str: "string_param"}


def encode(
    model: str,
    photos: Sequence[Photo],
    top_k: int | None,
    tta: str | None = None,
    explain: str | None = None,
) -> Any:
    """Builds a request with the photos as raw bytes; see ``v2.encode``."""
    request = InferRequest(model_name=model, raw_input_contents=[v2.length_prefixed(photos)])
    request.inputs.add(name="photos", datatype="BYTES", shape=[len(photos)])
    for name, value in v2.parameters(top_k, tta, explain).items():
        setattr(request.parameters.add(key=name).value, _FIELDS[type(value)], value)
    return request


def decode(response: Any) -> list[Answer]:
    """Reads an answer; raises ServingError if it is not one of this project's predictor."""
    try:
        tensors = zip(response.outputs, response.raw_output_contents, strict=True)
        found = {tensor.name: _rows(tensor, raw) for tensor, raw in tensors}
        return v2.answers_of(found, response.model_version)
    except (KeyError, ValueError, struct.error) as error:
        raise ServingError(
            f"unexpected answer: {error!r}", remedy="is this phytoflow's predictor?"
        ) from error


def _rows(tensor: Any, raw: bytes) -> list[list[Any]]:
    values = _values(tensor.datatype, raw)
    width = len(values) // tensor.shape[0]
    return [values[row * width : (row + 1) * width] for row in range(tensor.shape[0])]


def _values(datatype: str, raw: bytes) -> list[Any]:
    if datatype == "BYTES":
        return [*_strings(raw)]
    return [value for (value,) in struct.iter_unpack({"FP32": "<f", "BOOL": "<?"}[datatype], raw)]


def _strings(raw: bytes) -> Iterator[str]:
    start = 0
    while start < len(raw):
        (length,) = struct.unpack_from("<I", raw, start)
        yield raw[start + 4 : start + 4 + length].decode()
        start += 4 + length
