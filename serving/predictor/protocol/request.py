"""Reads what a V1 or V2 request asks for: photos, outputs and parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from kserve import InferRequest
from kserve.protocol.infer_type import to_http_parameters

from phytoflow.protocol.constants import LOGGED, VIEWS, Augmentation
from serving.predictor.engine.engine import Engine
from serving.predictor.engine.explain import check_count, class_index
from serving.predictor.errors import malformed, too_large
from serving.predictor.inputs.parse import parse_instances, parse_photos
from serving.predictor.inputs.types import Photo
from serving.predictor.protocol.outputs import OutputRequest, output_names, parse_outputs

_DEFAULT_TOP_K = 5
_PARAMETERS = {"top_k", "tta", "binary_data_output", LOGGED}
_EXPLAIN_PARAMETERS = {"explain", "class"}  # V2 only: V1 has a call of its own
# Triton's clients set these on every request. They change no prediction: a request that waits too long is
# refused (--max_queue_size), and a classifier keeps no state between the requests of a sequence.
_WITHOUT_EFFECT = {"timeout", "priority", "sequence_id", "sequence_start", "sequence_end"}


class PredictRequest(NamedTuple):
    """A request that was read and checked.

    Attributes:
        photos: At least one.
        top_k: Number of labels to return for each photo.
        augmentation: Test-time augmentation.
        outputs: V2 outputs to return; empty: all of them.
        explain: Whether to return an explanation too.
        explained_class: Index of the class to explain; None: the likeliest of each photo.
        logged: Whether the caller logs the predictions itself.
    """

    photos: list[Photo]
    top_k: int
    augmentation: Augmentation = "none"
    outputs: tuple[OutputRequest, ...] = ()
    explain: bool = False
    explained_class: int | None = None
    logged: bool = False


def parse_request(payload: InferRequest | dict[str, Any], engine: Engine) -> PredictRequest:
    """Reads a V2 request or the body of a V1 request.

    Args:
        payload: The request.
        engine: The version that will answer.

    Raises:
        RequestError: 400 or 413; the message names the photo or the field.
    """
    return _parse_v2(payload, engine) if isinstance(payload, InferRequest) else _parse_v1(payload, engine)


def _parse_v1(payload: dict[str, Any], engine: Engine) -> PredictRequest:
    photos = parse_instances(payload, engine.limits)
    parameters = payload.get("parameters", {})
    if not isinstance(parameters, dict):
        raise malformed("parameters is not an object")
    _check_names(parameters, _PARAMETERS)
    top_k, augmentation = _parse_top_k(parameters, engine), _parse_tta(parameters, photos, engine)
    return PredictRequest(photos, top_k, augmentation, logged=_parse_logged(parameters))


def _parse_v2(payload: InferRequest, engine: Engine) -> PredictRequest:
    parameters = _to_dict(payload.parameters) if payload.parameters else {}
    explain, explained_class = _parse_explain(parameters, engine)
    known = output_names(
        ood=engine.classifier.detects_ood, explain=explain, features=engine.feature_count > 0
    )
    outputs = parse_outputs(payload, known)
    photos = parse_photos(payload.inputs, engine.limits)
    if not parameters:  # the usual case
        return PredictRequest(photos, _default_top_k(engine), outputs=outputs)
    if explain:
        check_count(len(photos))
    _check_names(parameters, _PARAMETERS | _EXPLAIN_PARAMETERS)
    top_k, augmentation = _parse_top_k(parameters, engine), _parse_tta(parameters, photos, engine)
    logged = _parse_logged(parameters)
    return PredictRequest(photos, top_k, augmentation, outputs, explain, explained_class, logged)


def _to_dict(parameters: Any) -> dict[str, Any]:
    """Parameters of REST or gRPC as plain values."""
    values = to_http_parameters(parameters)
    # kserve leaves out values of types that its messages lack, such as Triton's uint64_param.
    if missing := sorted(set(parameters) - values.keys() - _WITHOUT_EFFECT):
        raise malformed(f"parameter {missing[0][:40]!r} has no bool, int64 or string value")
    return values


def _parse_explain(parameters: Mapping[str, Any], engine: Engine) -> tuple[bool, int | None]:
    """Whether to explain, and the index of the class named."""
    explain = parameters.get("explain", False)
    if not isinstance(explain, bool):
        raise malformed("explain is not true or false")
    if "class" not in parameters:
        return explain, None
    if not explain:
        raise malformed("class says what to explain, and explain is not true")
    return True, class_index(parameters["class"], engine.classifier.classes)


def _parse_tta(parameters: Mapping[str, Any], photos: list[Photo], engine: Engine) -> Augmentation:
    name, limit = parameters.get("tta", "none"), engine.limits.max_photos
    if not isinstance(name, str) or name not in VIEWS:
        raise malformed(f"tta is not one of {', '.join(VIEWS)}")
    if name == "crops" and _is_preprocessed(photos[0]):
        raise malformed("tta=crops needs whole photos; FP32 tensors are already cropped")
    if (views := len(photos) * VIEWS[name]) > limit:
        raise too_large(f"{len(photos)} photos make {views} with tta={name}; one request may hold {limit}")
    return name


def _parse_logged(parameters: Mapping[str, Any]) -> bool:
    logged = parameters.get(LOGGED, False)
    if not isinstance(logged, bool):
        raise malformed(f"{LOGGED} is not true or false")
    return logged


def _is_preprocessed(photo: Photo) -> bool:
    return isinstance(photo, np.ndarray) and photo.dtype == np.float32


def _check_names(parameters: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(str(key)[:40] for key in parameters.keys() - known - _WITHOUT_EFFECT):
        raise malformed(f"unknown parameter {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _parse_top_k(parameters: Mapping[str, Any], engine: Engine) -> int:
    top_k = parameters.get("top_k", _default_top_k(engine))
    if not isinstance(top_k, int) or isinstance(top_k, bool) or top_k < 1:
        raise malformed("top_k is not an integer of at least 1")
    return min(top_k, len(engine.classifier.classes))


def _default_top_k(engine: Engine) -> int:
    return min(_DEFAULT_TOP_K, len(engine.classifier.classes))
