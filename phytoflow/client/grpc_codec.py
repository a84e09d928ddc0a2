"""V2 over gRPC as protobuf messages: photos and tensors are raw bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from typing import Any

from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction
from phytoflow.client.rest_codec import NOT_OURS, length_prefixed, to_predictions
from phytoflow.errors import ServingError
from phytoflow.protocol.grpc_messages import InferRequest

_FIELDS = {bool: "bool_param", int: "int64_param", str: "string_param"}


def encode(model: str, photos: Sequence[Photo], parameters: InferParameters | None = None) -> Any:
    """Builds an ``InferRequest``; see ``rest_codec.encode``."""
    request = InferRequest(model_name=model, raw_input_contents=[length_prefixed(photos)])
    request.inputs.add(name="photos", datatype="BYTES", shape=[len(photos)])
    for name, value in (parameters or InferParameters()).to_dict().items():
        setattr(request.parameters.add(key=name).value, _FIELDS[type(value)], value)
    return request


def decode(response: Any) -> list[Prediction]:
    """Reads an ``InferResponse``.

    Raises:
        ServingError: This is no response of phytoflow's predictor.
    """
    try:
        tensors = zip(response.outputs, response.raw_output_contents, strict=True)
        outputs = {tensor.name: _rows(tensor, raw) for tensor, raw in tensors}
        return to_predictions(outputs, response.model_version)
    except (KeyError, ValueError, IndexError, ZeroDivisionError, struct.error) as error:
        raise ServingError(f"unexpected answer: {error!r}", remedy=NOT_OURS) from error


def decode_metadata(response: Any) -> dict[str, Any]:
    """Reads a ``MetadataResponse``; its properties are text, lists and objects among them JSON."""
    parameters = {property.key: _parse_property(property.value) for property in response.properties}
    return {"name": response.name, "versions": list(response.versions), "parameters": parameters}


def _parse_property(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rows(tensor: Any, raw: bytes) -> list[list[Any]]:
    values = _unpack(tensor.datatype, raw)
    width = len(values) // tensor.shape[0]
    return [values[row * width : (row + 1) * width] for row in range(tensor.shape[0])]


def _unpack(datatype: str, raw: bytes) -> list[Any]:
    if datatype == "BYTES":
        return [*_strings(raw)]
    return [value for (value,) in struct.iter_unpack({"FP32": "<f", "BOOL": "<?"}[datatype], raw)]


def _strings(raw: bytes) -> Iterator[str]:
    start = 0
    while start < len(raw):
        (length,) = struct.unpack_from("<I", raw, start)
        yield raw[start + 4 : start + 4 + length].decode()
        start += 4 + length
