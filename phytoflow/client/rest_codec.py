"""The V2 inference protocol as bytes: photos travel raw, in the binary tensor extension."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from phytoflow.client.prediction import Answer, RefusedError
from phytoflow.errors import ServingError
from phytoflow.protocol.constants import EXPLANATION, OOD_OUTPUTS, OUTPUTS, VIEWS

Photo = bytes | str | Path


def encode(
    photos: Sequence[Photo], top_k: int | None, tta: str | None = None, explain: str | None = None
) -> tuple[bytes, dict[str, str]]:
    """Builds a request.

    Args:
        photos: Encoded photos, or files to read.
        top_k: Labels wanted a photo; None: the predictor's default.
        tta: ``flips`` or ``crops``: views of each photo whose answers are averaged; None: the photo alone.
        explain: A class to explain, empty for the likeliest; None: no explanation.

    Returns:
        Body and headers.
    """
    raw = length_prefixed(photos)
    tensor = {"name": "photos", "shape": [len(photos)], "datatype": "BYTES"}
    head = {"inputs": [tensor | {"parameters": {"binary_data_size": len(raw)}}]}
    head |= {"parameters": parameters(top_k, tta, explain)}  # type: ignore[dict-item]
    text = json.dumps(head).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(text))}
    return text + raw, headers


def parameters(top_k: int | None, tta: str | None, explain: str | None) -> dict[str, Any]:
    """A request's parameters, those that are said; see ``encode``."""
    asked = {"top_k": top_k, "tta": tta, "explain": None if explain is None else True}
    asked["class"] = explain or None
    return {name: value for name, value in asked.items() if value is not None}


def length_prefixed(photos: Iterable[Photo]) -> bytes:
    """Each photo after its length in four bytes: V2's raw form of BYTES."""
    contents = (photo if isinstance(photo, bytes) else Path(photo).read_bytes() for photo in photos)
    return b"".join(part for content in contents for part in (struct.pack("<I", len(content)), content))


def decode(content: bytes) -> list[Answer]:
    """Reads an answer's body, JSON.

    Raises:
        ServingError: It is not an answer of this project's predictor.
    """
    try:
        answer = json.loads(content)
        found = {output["name"]: _rows(output) for output in answer["outputs"]}
        return answers_of(found, answer["model_version"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise ServingError(
            f"unexpected answer: {error!r}", remedy="is this phytoflow's predictor?"
        ) from error


def answers_of(outputs: Mapping[str, Sequence[Sequence[Any]]], version: str) -> list[Answer]:
    """Answers from the rows of each output; raises KeyError or ValueError if one is missing or too short."""
    columns = [outputs[name] for name in OUTPUTS]
    unsaid = [(None,)] * len(columns[0])
    strange = [outputs.get(name, unsaid) for name in OOD_OUTPUTS]
    heats = [_square(row) for row in outputs.get(EXPLANATION, unsaid)]
    return [
        Answer(k[0], s[0], tuple(k), tuple(s), tuple(p), m[0], version, known[0], novelty[0], heat)
        for p, k, s, m, known, novelty, heat in zip(*columns, *strange, heats, strict=True)
    ]


def refusal(url: str, status: int, content: bytes) -> RefusedError:
    """The error that an answer other than 200 stands for."""
    try:
        fields = json.loads(content)
        message, reason = str(fields["error"]), str(fields.get("reason", "refused"))
    except (ValueError, KeyError, TypeError):
        message, reason = f"HTTP {status}", "refused"
    remedy = {503: "ask again in a moment, or start more predictors", 404: "check --model and the URL"}
    return RefusedError(
        f"{url} refused: {message}", status=status, reason=reason, remedy=remedy.get(status, "")
    )


def chunks(photos: Sequence[Photo], size: int, tta: str | None = None) -> Iterator[Sequence[Photo]]:
    """Photos in groups that fit one request, where each view of a photo counts."""
    size = max(1, size // _views(tta))
    for start in range(0, len(photos), size):
        yield photos[start : start + size]


def _views(tta: str | None) -> int:
    """Views of one photo. Unknown augmentations count as one: the predictor refuses them."""
    return next((count for name, count in VIEWS.items() if name == tta), 1)


def _rows(output: Mapping[str, Any]) -> list[list[Any]]:
    count = int(output["shape"][0])
    width = len(output["data"]) // count
    return [output["data"][row * width : (row + 1) * width] for row in range(count)]


def _square(values: Sequence[Any]) -> tuple[tuple[float, ...], ...] | None:
    """A table sent as one row; None where nothing was."""
    side = math.isqrt(len(values))
    if values[0] is None:
        return None
    return tuple(tuple(values[start : start + side]) for start in range(0, len(values), side))
