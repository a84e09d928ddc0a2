"""Reads the photos of a request, in whichever form they were sent."""

from __future__ import annotations

from typing import Any

from kserve import InferInput

from serving.predictor.errors import malformed
from serving.predictor.inputs.encoded import parse_file, parse_files
from serving.predictor.inputs.tensors import format_shape, parse_pixels, parse_preprocessed
from serving.predictor.inputs.types import Photo, RequestLimits

_PARSERS = {"BYTES": parse_files, "UINT8": parse_pixels, "FP32": parse_preprocessed}
_MAX_RANK = 4  # [N, H, W, 3]


def parse_photos(inputs: list[InferInput], limits: RequestLimits) -> list[Photo]:
    """Reads the photos of a V2 request over REST or gRPC.

    Raises:
        RequestError: 400 or 413; the message names the photo.
    """
    if len(inputs) != 1:
        raise malformed(f"{len(inputs)} inputs; one is expected, of datatype BYTES, UINT8 or FP32")
    tensor = inputs[0]
    shape, datatype = tensor.shape, tensor.datatype
    if min(shape, default=0) < 0 or len(shape) > _MAX_RANK:
        raise malformed(f"shape {format_shape(shape)} is not one of [N], [N,H,W,3] or [N,3,H,W]")
    limits.check_count(shape[0] if shape else 1)
    if (parse := _PARSERS.get(datatype)) is None:
        raise malformed(f"datatype {datatype[:16]!r} is not one of BYTES, UINT8 or FP32")
    return parse(tensor, limits)


def parse_instances(body: Any, limits: RequestLimits) -> list[Photo]:
    """Reads the photos of a V1 request, ``{"instances": [...]}``; ``parse_file`` lists the forms of each.

    Raises:
        RequestError: 400 or 413; the message names the photo.
    """
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list):
        raise malformed('the body is not {"instances": [...]}')
    limits.check_count(len(instances))
    return [parse_file(index, value, limits.photo) for index, value in enumerate(instances)]
