"""Predictions as the gateway's ``POST /v1/log`` takes them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from phytoflow.inference.predictions import Predictions
from phytoflow.protocol.prediction_id import new_id
from serving.predictor.inputs.types import Photo, byte_size

_TOP = 5  # classes logged of each photo
_MAX_REQUEST_ID = 64  # characters that the log stores


class AnsweredRequest(NamedTuple):
    """A request that was answered; nothing of it is computed or copied until it is sent.

    Attributes:
        created: Time of the response, seconds since 1970.
        source: How it came: ``v2-rest``, ``v2-grpc`` or ``v1``.
        photos: Its photos; empty if their hashes are not wanted.
        predictions: Predictions for the photos.
        seconds: Time from the last byte of the request to the response.
        model: Model name.
        version: Version that answered.
        request_id: Id of the request.
    """

    created: float
    source: str
    photos: Sequence[Photo]
    predictions: Predictions
    seconds: float
    model: str
    version: str
    request_id: str

    @property
    def photo_count(self) -> int:
        """Number of photos."""
        return len(self.predictions.probabilities)

    @property
    def photo_bytes(self) -> int:
        """Size of the photos that it holds."""
        return sum(map(byte_size, self.photos))


def encode_lines(request: AnsweredRequest, *, features: bool) -> Iterator[bytes]:
    """Yields a JSON object for each photo.

    Args:
        request: The request.
        features: Whether to include the features, float16 in base64, if the model returns them.
    """
    predictions = request.predictions
    labels, scores = predictions.top(_TOP)
    common = {
        "created": datetime.fromtimestamp(request.created, UTC),
        "source": request.source,
        "latency_ms": round(request.seconds * 1000, 3),
        "model": request.model,
        "model_version": request.version,
        "request_id": "".join(filter(str.isprintable, request.request_id))[:_MAX_REQUEST_ID],
    }
    known, novelty = predictions.known, predictions.novelty
    for row in range(request.photo_count):
        own = {
            "id": new_id(int(request.created * 1000)),
            "photo_sha256": _hash(request.photos[row]) if request.photos else "",
            "label": labels[row][0],
            "confidence": min(1.0, float(scores[row, 0])),
            "top": list(zip(labels[row], scores[row].tolist(), strict=True)),
            "known": None if known is None else bool(known[row]),
            "novelty": None if novelty is None else float(novelty[row]),
            "features": _pack(predictions, row) if features else None,
        }
        yield orjson.dumps(common | own)


def _hash(photo: Photo) -> str:
    """SHA-256 of an encoded photo; pixels and tensors are no file that anybody could find again."""
    return hashlib.sha256(photo).hexdigest() if isinstance(photo, bytes) else ""


def _pack(predictions: Predictions, row: int) -> Any:
    if predictions.features is None:
        return None
    return base64.b64encode(predictions.features[row].astype("<f2").tobytes()).decode()
