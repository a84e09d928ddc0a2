"""V2 over REST as bytes: photos are sent raw, with the binary tensor extension."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction
from phytoflow.errors import ServingError
from phytoflow.protocol.constants import EXPLANATION, OOD_OUTPUTS, OUTPUTS

NOT_OURS = "check the address: is this phytoflow's predictor?"


def encode(
    photos: Sequence[Photo], parameters: InferParameters | None = None
) -> tuple[bytes, dict[str, str]]:
    """Builds a request.

    Args:
        photos: Encoded photos, or files to read.
        parameters: Parameters of the request; None: the predictor's defaults.

    Returns:
        Body and headers.

    Raises:
        OSError: A file cannot be read.
    """
    raw = length_prefixed(photos)
    size = {"binary_data_size": len(raw)}
    tensor = {"name": "photos", "shape": [len(photos)], "datatype": "BYTES", "parameters": size}
    head = {"inputs": [tensor], "parameters": (parameters or InferParameters()).to_dict()}
    text = json.dumps(head).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))}
    return text + raw, headers


def length_prefixed(photos: Iterable[Photo]) -> bytes:
    """Joins photos, each after its length in four bytes: V2's raw form of BYTES."""
    contents = (photo if isinstance(photo, bytes) else Path(photo).read_bytes() for photo in photos)
    return b"".join(part for content in contents for part in (struct.pack("<I", len(content)), content))


def decode(content: bytes) -> list[Prediction]:
    """Reads a JSON response.

    Raises:
        ServingError: This is no response of phytoflow's predictor.
    """
    try:
        response = json.loads(content)
        outputs = {output["name"]: _rows(output) for output in response["outputs"]}
        return to_predictions(outputs, response["model_version"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ServingError(f"unexpected answer: {error!r}", remedy=NOT_OURS) from error


def to_predictions(outputs: Mapping[str, Sequence[Sequence[Any]]], version: str) -> list[Prediction]:
    """Builds predictions from the rows of each output; KeyError or ValueError if one is missing or short."""
    columns = [outputs[name] for name in OUTPUTS]
    missing = [(None,)] * len(columns[0])
    ood = [outputs.get(name, missing) for name in OOD_OUTPUTS]
    heat_maps = [_to_square(row) for row in outputs.get(EXPLANATION, missing)]
    return [
        Prediction(k[0], s[0], tuple(k), tuple(s), tuple(p), m[0], version, known[0], novelty[0], heat)
        for p, k, s, m, known, novelty, heat in zip(*columns, *ood, heat_maps, strict=True)
    ]


def _rows(output: Mapping[str, Any]) -> list[list[Any]]:
    count = int(output["shape"][0])
    width = len(output["data"]) // count
    return [output["data"][row * width : (row + 1) * width] for row in range(count)]


def _to_square(values: Sequence[Any]) -> tuple[tuple[float, ...], ...] | None:
    """A square table sent as one row; None if the output is missing."""
    if values[0] is None:
        return None
    side = math.isqrt(len(values))
    return tuple(tuple(values[start : start + side]) for start in range(0, len(values), side))
