"""What a request asks: its photos and its parameters, of either protocol."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from kserve import InferRequest
from kserve.protocol.infer_type import to_http_parameters

from phytoflow.protocol.constants import VIEWS, Augmentation
from serving.predictor.engine.engine import Engine
from serving.predictor.engine.explain import check_count, class_number
from serving.predictor.errors import malformed, too_large
from serving.predictor.inputs.parse import photos_of, photos_of_instances
from serving.predictor.inputs.types import Photo
from serving.predictor.protocol import outputs

_DEFAULT_TOP_K = 5
_KNOWN = {"top_k", "tta", "binary_data_output"}
_EXPLAIN = {"explain", "class"}  # of V2 alone: V1 has a call of its own


class Asked(NamedTuple):
    """A request, read and checked.

    Attributes:
        photos: At least one.
        top_k: Labels wanted a photo.
        augmentation: Views of each photo that are averaged.
        explain: Whether an explanation is wanted, too.
        explained: Number of the class to explain; None: each photo's likeliest.
    """

    photos: list[Photo]
    top_k: int
    augmentation: Augmentation
    explain: bool = False
    explained: int | None = None


def read(payload: InferRequest | dict[str, Any], engine: Engine) -> Asked:
    """Reads a V2 request, or the body of a V1 one.

    Args:
        payload: The request.
        engine: Who is asked.

    Raises:
        RequestError: 400 or 413, naming the photo or the field.
    """
    if isinstance(payload, InferRequest):
        parameters = to_http_parameters(payload.parameters) if payload.parameters else {}
        explain, explained = _explanation(parameters, engine)
        known = outputs.names_of(open_set=engine.classifier.detects_ood, explain=explain)
        outputs.check(payload, known)
        photos = photos_of(payload.inputs, engine.bounds)
        if not parameters:  # as most requests are
            return Asked(photos, _default_top_k(engine), "none")
        if explain:
            check_count(len(photos))
        rest = {key: value for key, value in parameters.items() if key not in _EXPLAIN}
        return _asked(photos, rest, engine, explain, explained)
    photos = photos_of_instances(payload, engine.bounds)
    parameters = payload.get("parameters", {})
    if not isinstance(parameters, dict):
        raise malformed("parameters is not an object")
    return _asked(photos, parameters, engine)


def _explanation(parameters: dict[str, Any], engine: Engine) -> tuple[bool, int | None]:
    """Whether to explain, and the class named, by its number."""
    explain = parameters.get("explain", False)
    if not isinstance(explain, bool):
        raise malformed("explain is not true or false")
    if "class" not in parameters:
        return explain, None
    if not explain:
        raise malformed("class says what to explain, and explain is not true")
    return True, class_number(parameters["class"], engine.classifier.classes)


def _asked(
    photos: list[Photo],
    parameters: dict[str, Any],
    engine: Engine,
    explain: bool = False,
    explained: int | None = None,
) -> Asked:
    _check_known(parameters)
    augmentation = _augmentation(parameters, photos, engine.bounds.photos)
    return Asked(photos, _top_k(parameters, engine), augmentation, explain, explained)


def _augmentation(parameters: dict[str, Any], photos: list[Photo], limit: int) -> Augmentation:
    name = parameters.get("tta", "none")
    if not isinstance(name, str) or name not in VIEWS:
        raise malformed(f"tta is not one of {', '.join(VIEWS)}")
    if name == "crops" and _preprocessed(photos[0]):
        raise malformed("tta=crops needs whole photos; FP32 tensors are already cropped")
    if (views := len(photos) * VIEWS[name]) > limit:
        raise too_large(f"{len(photos)} photos make {views} with tta={name}; one request may hold {limit}")
    return name


def _preprocessed(photo: Photo) -> bool:
    return isinstance(photo, np.ndarray) and photo.dtype == np.float32


def _check_known(parameters: dict[str, Any]) -> None:
    if unknown := sorted(str(key)[:40] for key in parameters.keys() - _KNOWN):
        raise malformed(f"unknown parameter {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}")


def _top_k(parameters: dict[str, Any], engine: Engine) -> int:
    classes = len(engine.classifier.classes)
    top_k = parameters.get("top_k", _default_top_k(engine))
    if not isinstance(top_k, int) or isinstance(top_k, bool) or not 1 <= top_k <= classes:
        raise malformed(f"top_k is not an integer from 1 to {classes}")
    return top_k


def _default_top_k(engine: Engine) -> int:
    return min(_DEFAULT_TOP_K, len(engine.classifier.classes))
