"""Where in a photo an answer comes from: V1's explain call, and V2's parameter ``explain``.

V2 has no explain route (the open inference protocol names none, nor has kserve 0.21): there it is a parameter
of the infer call, over REST and gRPC alike.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.errors import PhotoError
from phytoflow.inference.attribution import explain, overlay
from phytoflow.protocol.constants import MAX_EXPLAINED_PHOTOS
from serving.predictor.engine.engine import Engine
from serving.predictor.errors import RequestError, malformed, overloaded, too_large
from serving.predictor.inputs.parse import photos_of_instances
from serving.predictor.inputs.types import Photo

GRID = 28  # heat is sent as a table of this side; it holds no more than an eighth of that
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
    check_count(len(photos))
    label = _label(payload.get("parameters", {}), engine.classifier.classes)
    with _one():
        return {"explanations": [_explained(photo, label, engine) for photo in photos]}


def heats(photos: Sequence[Photo], labels: Sequence[int], engine: Engine) -> NDArray[np.float32]:
    """What speaks for a class in each photo, place by place.

    Args:
        photos: As a V2 request has them.
        labels: Number of each photo's class.
        engine: Who is asked.

    Returns:
        float32 [N, GRID, GRID] in 0..1, of the photo's middle square.

    Raises:
        RequestError: 503 while another is explained.
    """
    with _one():
        rows = zip(photos, labels, strict=True)
        return np.stack([_small(explain(engine.classifier, _tensor(p, engine), label)) for p, label in rows])


def check_count(photos: int) -> None:
    """Refuses more photos than one request may have explained; RequestError 413."""
    if photos > MAX_EXPLAINED_PHOTOS:
        raise too_large(f"{photos} photos; one request may have {MAX_EXPLAINED_PHOTOS} explained")


def class_number(label: Any, classes: tuple[str, ...]) -> int:
    """The number of a class; RequestError 400 where there is none of that name."""
    if label not in classes:
        raise malformed(f"no class {str(label)[:40]!r}; there are {', '.join(classes)}")
    return classes.index(label)


@contextmanager
def _one() -> Iterator[None]:
    if not _ONE.acquire(blocking=False):
        raise overloaded("another explanation is being made; try again in a second")
    try:
        yield
    finally:
        _ONE.release()


def _tensor(photo: Photo, engine: Engine) -> NDArray[np.float32]:
    preprocessing = engine.classifier.bundle.manifest.preprocessing
    if isinstance(photo, bytes):
        return preprocessing.normalise(preprocessing.decode(photo, engine.bounds.limits))
    if photo.dtype == np.uint8:
        return preprocessing.normalise(preprocessing.pixels(Image.fromarray(photo)))
    return np.ascontiguousarray(photo, np.float32)


def _small(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(heat).resize((GRID, GRID), Image.Resampling.BOX))


def _explained(photo: Any, label: int | None, engine: Engine) -> dict[str, Any]:
    if not isinstance(photo, bytes):
        raise malformed("explanations need encoded photos")
    preprocessing = engine.classifier.bundle.manifest.preprocessing
    try:
        image = preprocessing.open(photo, engine.bounds.limits)
    except PhotoError as error:
        raise RequestError(422, error.reason, error.message) from None
    pixels = preprocessing.pixels(image)
    tensor = preprocessing.normalise(pixels)
    probabilities = engine.classifier.run(tensor[None]).probabilities[0]
    chosen = int(probabilities.argmax()) if label is None else label
    heat = explain(engine.classifier, tensor, chosen)
    return {
        "label": engine.classifier.classes[chosen],
        "score": float(probabilities[chosen]),
        "heat": _small(heat).round(4).tolist(),
        "overlay": base64.b64encode(overlay(pixels, heat)).decode(),
    }


def _label(parameters: Any, classes: tuple[str, ...]) -> int | None:
    if not isinstance(parameters, dict) or set(parameters) - {"label"}:
        raise malformed("parameters of an explanation are an object with at most a label")
    label = parameters.get("label")
    return None if label is None else class_number(label, classes)
