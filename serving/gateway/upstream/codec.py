"""The V2 inference protocol as the gateway speaks it: photos go and features come as raw bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Buffer = bytes | bytearray | memoryview

ALWAYS = ("labels", "scores", "probabilities", "known", "novelty")
_BINARY = ("features",)  # as JSON a thousand numbers a photo would cost more than the photo


@dataclass(frozen=True)
class PhotoResult:
    """The model's answer for one photo.

    Attributes:
        labels: The ``top_k`` likeliest classes, likeliest first.
        scores: Their probabilities.
        probabilities: Probability of each class, in the order of the model's classes.
        known: Whether the photo resembles the training photos; None if the bundle cannot tell.
        novelty: Out-of-distribution score, higher is less familiar; None if the bundle cannot tell.
        explanation: float [h][w] in 0..1, evidence for the class; None if not requested.
        features: float16 [D], pooled features; None if the predictor does not give them.
    """

    labels: list[str]
    scores: list[float]
    probabilities: list[float]
    known: bool | None = None
    novelty: float | None = None
    explanation: list[list[float]] | None = None
    features: NDArray[np.float16] | None = None


@dataclass(frozen=True)
class InferResult:
    """One answer of the predictor.

    Attributes:
        photos: One result a photo, in the order of the request.
        model_version: Version that answered.
    """

    photos: list[PhotoResult]
    model_version: str


def encode_request(
    photos: Sequence[Buffer], outputs: Sequence[str], parameters: dict[str, Any], request_id: str
) -> tuple[bytes, list[Buffer]]:
    """Builds a request whose photos are not copied.

    Args:
        photos: Encoded photos.
        outputs: Names of the wanted outputs.
        parameters: V2 parameters, e.g. ``top_k``.
        request_id: Returned by the predictor, and in its log.

    Returns:
        The JSON header, and the buffers of the whole body in order (the header first).
    """
    size = sum(len(photo) + 4 for photo in photos)
    tensor = {
        "name": "photos",
        "shape": [len(photos)],
        "datatype": "BYTES",
        "parameters": {"binary_data_size": size},
    }
    wanted = [
        {"name": name} | ({"parameters": {"binary_data": True}} if name in _BINARY else {})
        for name in outputs
    ]
    head = orjson.dumps({"id": request_id, "parameters": parameters, "inputs": [tensor], "outputs": wanted})
    buffers: list[Buffer] = [head]
    for photo in photos:
        buffers += [struct.pack("<I", len(photo)), photo]
    return head, buffers


def decode_response(body: bytes, header_length: int | None) -> InferResult:
    """Reads an answer.

    Args:
        body: JSON, followed by the raw data of binary outputs.
        header_length: Length of the JSON; None if there is nothing but JSON.

    Raises:
        ValueError, KeyError, TypeError, IndexError: It is no answer of this project's predictor.
    """
    answer = orjson.loads(body[:header_length])
    offset, columns, count = header_length or 0, {}, 0
    for output in answer["outputs"]:
        name, count = output["name"], output["shape"][0]
        size = output.get("parameters", {}).get("binary_data_size")
        if size is None:
            columns[name] = _rows(output["data"], output["shape"])
        else:
            raw = np.frombuffer(body, np.float32, size // 4, offset)
            columns[name] = list(raw.reshape(output["shape"]).astype(np.float16))
            offset += size
    nothing = [None] * count
    photos = [
        PhotoResult(
            labels=columns["labels"][i],
            scores=columns["scores"][i],
            probabilities=columns["probabilities"][i],
            known=columns.get("known", nothing)[i],
            novelty=columns.get("novelty", nothing)[i],
            explanation=columns.get("explanation", nothing)[i],
            features=columns.get("features", nothing)[i],
        )
        for i in range(count)
    ]
    return InferResult(photos, str(answer["model_version"]))


def _rows(data: list[Any], shape: list[int]) -> list[Any]:
    """Flat values as nested lists of the shape."""
    for width in reversed(shape[1:]):
        data = [data[start : start + width] for start in range(0, len(data), width)]
    return data
