"""The V2 REST request: JSON, alone or followed by binary tensors.

kserve's own parser (``InferRequest.from_bytes``, 0.21) turns binary tensors into Python lists: raw JPEG
bytes end in a 500 that echoes the image, and pixels cost 60 times what they need. This one keeps bytes as
bytes; ``tests/serving/test_v2.py`` tells when kserve's has been mended and this can go.
"""

from __future__ import annotations

from typing import Any

import orjson
from kserve import InferInput, InferRequest
from kserve.protocol.infer_type import RequestedOutput
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError

from serving.predictor.errors import malformed

BINARY_HEADER = "inference-header-content-length"
_MAX_RANK = 4
_NOT_OBJECTS = ("model_type", "dict_type")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class _Input(_Part):
    name: str = Field(max_length=256)
    shape: list[StrictInt] = Field(max_length=_MAX_RANK)
    datatype: str = Field(max_length=16)
    parameters: dict[str, Any] = Field(default_factory=dict)
    data: Any = None


class _Output(_Part):
    name: str = Field(max_length=256)
    parameters: dict[str, Any] = Field(default_factory=dict)


class _Request(_Part):
    id: str | None = Field(None, max_length=256)
    parameters: dict[str, Any] = Field(default_factory=dict)
    inputs: list[_Input] = Field(max_length=16)
    outputs: list[_Output] | None = Field(None, max_length=16)


def parse_request(body: bytes, json_length: int | None, model_name: str) -> InferRequest:
    """Parses the body of ``/v2/models/M/infer``.

    Args:
        body: The whole body.
        json_length: The ``Inference-Header-Content-Length`` header; None: the body is JSON only.
        model_name: The model asked.

    Raises:
        RequestError: 400, naming the field.
    """
    if json_length is not None and not 0 < json_length <= len(body):
        raise malformed(f"Inference-Header-Content-Length is {json_length}, the body has {len(body)} bytes")
    try:
        fields = _Request.model_validate(orjson.loads(memoryview(body)[:json_length]))
    except orjson.JSONDecodeError as error:
        raise malformed(f"the JSON part is not JSON: {error.msg} at byte {error.pos}") from None
    except ValidationError as error:
        raise malformed(_first(error)) from None
    binary = memoryview(body)[len(body) if json_length is None else json_length :]
    return InferRequest(
        model_name,
        _inputs(fields, binary),
        request_id=fields.id,
        parameters=fields.parameters,
        request_outputs=[RequestedOutput(output.name, output.parameters) for output in fields.outputs or []],
    )


def _inputs(fields: _Request, binary: memoryview) -> list[InferInput]:
    found, start = [], 0
    for field in fields.inputs:
        tensor = InferInput(field.name, field.shape, field.datatype, field.data, field.parameters)
        if field.data is None:
            size = _binary_size(field, len(binary) - start)
            tensor._raw_data = bytes(binary[start : start + size])
            start += size
        found.append(tensor)
    if start != len(binary):
        raise malformed(f"{len(binary) - start} bytes follow the last binary tensor")
    return found


def _binary_size(field: _Input, left: int) -> int:
    size = field.parameters.get("binary_data_size")
    if not isinstance(size, int) or isinstance(size, bool):
        raise malformed(f"input {field.name[:40]!r} has neither data nor an integer binary_data_size")
    if not 0 <= size <= left:
        raise malformed(f"input {field.name[:40]!r}: binary_data_size is {size}, {left} bytes are left")
    return size


def _first(error: ValidationError) -> str:
    """The first complaint, by field; pydantic's own text would quote the input."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "the request"
    return f"{where}: {'not an object' if first['type'] in _NOT_OBJECTS else first['msg']}"
