"""The explain call: where in a photo an answer comes from."""

from __future__ import annotations

import base64
import threading
from typing import Any

import numpy as np
from PIL import Image

from phytoflow.data.decode import decode
from phytoflow.errors import PhotoError
from phytoflow.inference.explain import explain, overlay
from serving.predictor.engine import Engine
from serving.predictor.errors import RequestError, malformed, overloaded, too_large
from serving.predictor.photos import photos_of_instances

_MOST_PHOTOS = 4
_GRID = 28  # heat is sent as a table of this side; it holds no more than an eighth of that
_ONE = threading.Lock()  # answers wait for at most one explanation


def explanations(payload: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """Explains the likeliest class of each photo, or the one that ``parameters.label`` names.

    Args:
        payload: Body of ``POST /v1/models/M:explain``, encoded photos as for ``:predict``.
        engine: Who is asked.

    Returns:
        For each photo ``label``, ``score``, ``heat`` (rows of 0..1, the photo's middle square) and
        ``overlay`` (a JPEG in base64).

    Raises:
        RequestError: What is wrong with the request or a photo; 503 while another is explained.
    """
    photos = photos_of_instances(payload, engine.bounds)
    if len(photos) > _MOST_PHOTOS:
        raise too_large(f"{len(photos)} photos; one request may have {_MOST_PHOTOS} explained")
    label = _label(payload.get("parameters", {}), engine.classifier.classes)
    if not _ONE.acquire(blocking=False):
        raise overloaded("another explanation is being made; try again in a second")
    try:
        return {"explanations": [_explained(photo, label, engine) for photo in photos]}
    finally:
        _ONE.release()


def _explained(photo: Any, label: int | None, engine: Engine) -> dict[str, Any]:
    if not isinstance(photo, bytes):
        raise malformed("explanations need encoded photos")
    preprocessing = engine.classifier.bundle.manifest.preprocessing
    try:
        image = decode(photo, engine.bounds.limits, size_hint=preprocessing.resize_size)
    except PhotoError as error:
        raise RequestError(422, error.reason, error.message) from None
    pixels = preprocessing.pixels(image)
    tensor = preprocessing.normalise(pixels)
    probabilities = engine.classifier.run(tensor[None]).probabilities[0]
    chosen = int(probabilities.argmax()) if label is None else label
    heat = explain(engine.classifier, tensor, chosen)
    small = np.asarray(Image.fromarray(heat).resize((_GRID, _GRID), Image.Resampling.BOX))
    return {
        "label": engine.classifier.classes[chosen],
        "score": float(probabilities[chosen]),
        "heat": small.round(4).tolist(),
        "overlay": base64.b64encode(overlay(pixels, heat)).decode(),
    }


def _label(parameters: Any, classes: tuple[str, ...]) -> int | None:
    if not isinstance(parameters, dict) or set(parameters) - {"label"}:
        raise malformed("parameters of an explanation are an object with at most a label")
    label = parameters.get("label")
    if label is not None and label not in classes:
        raise malformed(f"no class {str(label)[:40]!r}; there are {', '.join(classes)}")
    return None if label is None else classes.index(label)
