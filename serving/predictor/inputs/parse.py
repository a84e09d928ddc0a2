"""From a request's tensors to photos, whichever of the ways to ask was taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from kserve import InferInput
from numpy.typing import NDArray

from phytoflow.data.images.decode import Limits
from serving.predictor.errors import malformed, too_large
from serving.predictor.inputs.encoded import files, from_base64
from serving.predictor.inputs.tensors import pixels, preprocessed, shown

Photo = bytes | NDArray[np.uint8] | NDArray[np.float32]
"""An encoded file; or decoded uint8 [H, W, 3]; or preprocessed float32 [3, size, size]."""


def size_of(photo: Photo) -> int:
    """Bytes, as it came."""
    return len(photo) if isinstance(photo, bytes) else photo.nbytes


@dataclass(frozen=True)
class Bounds:
    """What a request may hold.

    Attributes:
        photos: Most photos.
        limits: Of each photo.
        size: Side of the network's input, pixels.
    """

    photos: int
    limits: Limits
    size: int

    def check_count(self, count: int) -> None:
        """Refuses a request without photos, or with too many; RequestError 400 or 413."""
        if count < 1:
            raise malformed("no photos")
        if count > self.photos:
            raise too_large(f"{count} photos; one request may hold {self.photos}")


_READERS = {"BYTES": files, "UINT8": pixels, "FP32": preprocessed}


def photos_of(inputs: list[InferInput], bounds: Bounds) -> list[Photo]:
    """The photos of a V2 request, REST or gRPC.

    Raises:
        RequestError: 400 or 413, naming the photo.
    """
    if len(inputs) != 1:
        raise malformed(f"{len(inputs)} inputs; one is expected, of datatype BYTES, UINT8 or FP32")
    tensor = inputs[0]
    shape, datatype = tensor.shape, tensor.datatype
    if min(shape, default=0) < 0 or len(shape) > 4:
        raise malformed(f"shape {shown(shape)} is not one of [N], [N,H,W,3] or [N,3,H,W]")
    bounds.check_count(shape[0] if shape else 1)
    if (reader := _READERS.get(datatype)) is None:
        raise malformed(f"datatype {datatype[:16]!r} is not one of BYTES, UINT8 or FP32")
    return reader(tensor, bounds)


def photos_of_instances(body: Any, bounds: Bounds) -> list[Photo]:
    """The photos of a V1 request: ``{"instances": [{"b64": "..."}, "..."]}``."""
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list):
        raise malformed('the body is not {"instances": [...]}')
    bounds.check_count(len(instances))
    return [from_base64(i, v["b64"] if _is_b64(v) else v, bounds.limits) for i, v in enumerate(instances)]


def _is_b64(value: Any) -> bool:
    return isinstance(value, dict) and "b64" in value
