"""From a request's tensors to photos, whichever of the ways to ask was taken."""

from __future__ import annotations

from typing import Any

from kserve import InferInput

from serving.predictor.errors import malformed
from serving.predictor.inputs.encoded import files, from_base64
from serving.predictor.inputs.tensors import pixels, preprocessed, shown
from serving.predictor.inputs.types import Bounds, Photo

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
