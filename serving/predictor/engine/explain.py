"""Explanations: which parts of a photo support a class.

V1 has a call for them. V2 has none (neither the open inference protocol nor kserve 0.21 names one); there
``explain`` is a parameter of the infer call, over REST and gRPC.
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
from serving.predictor.inputs.parse import parse_instances
from serving.predictor.inputs.types import Photo

GRID = 28  # side of the returned heat map; the network's own maps are coarser, 7x7 at 224 pixels
_RUNNING = threading.Lock()  # one explanation at a time: predictions wait for one at most


def explain_instances(payload: dict[str, Any], engine: Engine) -> dict[str, Any]:
    """Explains the likeliest class of each photo, or the class that ``parameters.label`` names.

    Args:
        payload: Body of ``POST /v1/models/M:explain``, encoded photos as for ``:predict``.
        engine: The version that serves.

    Returns:
        For each photo ``label``, ``score``, ``heat`` (rows of 0..1 on the photo's central square) and
        ``overlay`` (a base64 JPEG).

    Raises:
        RequestError: 400, 413 or 422 for a wrong request or photo; 503 while another explanation runs.
    """
    photos = parse_instances(payload, engine.limits)
    check_count(len(photos))
    label = _parse_label(payload.get("parameters", {}), engine.classifier.classes)
    with _one_at_a_time():
        return {"explanations": [_explain_file(photo, label, engine) for photo in photos]}


def heat_maps(photos: Sequence[Photo], labels: Sequence[int], engine: Engine) -> NDArray[np.float32]:
    """Computes how much each place of a photo supports a class.

    Args:
        photos: Photos in any V2 form.
        labels: Class index for each photo.
        engine: The version that serves.

    Returns:
        float32 [N, GRID, GRID] in 0..1, on the photo's central square.

    Raises:
        RequestError: 503 while another explanation runs.
    """
    with _one_at_a_time():
        rows = zip(photos, labels, strict=True)
        return np.stack(
            [_reduce(explain(engine.classifier, _to_tensor(photo, engine), label)) for photo, label in rows]
        )


def check_count(photos: int) -> None:
    """Raises RequestError 413 if a request has more photos than may be explained."""
    if photos > MAX_EXPLAINED_PHOTOS:
        raise too_large(f"{photos} photos; one request may have {MAX_EXPLAINED_PHOTOS} explained")


def class_index(label: Any, classes: tuple[str, ...]) -> int:
    """Index of a class; raises RequestError 400 if there is no such class."""
    if label not in classes:
        raise malformed(f"no class {str(label)[:40]!r}; there are {', '.join(classes)}")
    return classes.index(label)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _RUNNING.acquire(blocking=False):
        raise overloaded("another explanation is being made; try again in a second")
    try:
        yield
    finally:
        _RUNNING.release()


def _to_tensor(photo: Photo, engine: Engine) -> NDArray[np.float32]:
    preprocessing = engine.classifier.bundle.manifest.preprocessing
    if isinstance(photo, bytes):
        return preprocessing.normalise(preprocessing.decode(photo, engine.limits.photo))
    if photo.dtype == np.uint8:
        return preprocessing.normalise(preprocessing.pixels(Image.fromarray(photo)))
    return np.ascontiguousarray(photo, np.float32)


def _reduce(heat: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(Image.fromarray(heat).resize((GRID, GRID), Image.Resampling.BOX))


def _explain_file(photo: Photo, label: int | None, engine: Engine) -> dict[str, Any]:
    if not isinstance(photo, bytes):
        raise malformed("explanations need encoded photos")
    preprocessing = engine.classifier.bundle.manifest.preprocessing
    try:
        image = preprocessing.open(photo, engine.limits.photo)
    except PhotoError as error:
        raise RequestError(422, error.reason, error.message) from None
    pixels = preprocessing.pixels(image)
    tensor = preprocessing.normalise(pixels)
    probabilities = engine.classifier.run(tensor[None]).probabilities[0]
    explained = int(probabilities.argmax()) if label is None else label
    heat = explain(engine.classifier, tensor, explained)
    return {
        "label": engine.classifier.classes[explained],
        "score": float(probabilities[explained]),
        "heat": _reduce(heat).round(4).tolist(),
        "overlay": base64.b64encode(overlay(pixels, heat)).decode(),
    }


def _parse_label(parameters: Any, classes: tuple[str, ...]) -> int | None:
    if not isinstance(parameters, dict) or parameters.keys() - {"label"}:
        raise malformed("parameters of an explanation are an object with at most a label")
    label = parameters.get("label")
    return None if label is None else class_index(label, classes)
