"""From predictions to the V2 and V1 answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse
from numpy.typing import NDArray

from phytoflow.inference.predictions import Predictions
from serving.predictor.protocol.outputs import Found

_DATATYPES = {"O": "BYTES", "f": "FP32", "b": "BOOL"}  # by numpy's kind


@dataclass(frozen=True)
class Answerer:
    """Who answers.

    Attributes:
        name: Of the model.
        version: Of the model: one whole version answers a request.
    """

    name: str
    version: str


def of(
    answerer: Answerer, request: InferRequest | dict[str, Any], request_id: str, found: Found
) -> InferResponse | dict[str, Any]:
    """The answer in the protocol of the request.

    Args:
        answerer: Who answers.
        request: What was asked.
        request_id: Given back.
        found: What is told.
    """
    if not isinstance(request, InferRequest):
        return _v1(answerer, found)
    wanted = [output.name for output in request.request_outputs or []] or list(found.names())
    asked = [(name, tensor) for name in wanted if (tensor := found.tensor(name)) is not None]
    binary = _binary(request, wanted)
    if not request.from_grpc and not any(binary.values()):
        return _v2_json(answerer, request_id, asked)
    return InferResponse(
        request_id,
        answerer.name,
        [_tensor(name, tensor, request) for name, tensor in asked],
        model_version=answerer.version,
        use_binary_outputs=any(binary.values()),
        requested_outputs=None if request.from_grpc else _requested(request, wanted, binary),
    )


def _v2_json(answerer: Answerer, request_id: str, tensors: list[tuple[str, NDArray[Any]]]) -> dict[str, Any]:
    """What ``InferResponse.to_rest`` gives where nothing goes as bytes, for less."""
    return {
        "id": request_id,
        "model_name": answerer.name,
        "model_version": answerer.version,
        "outputs": [
            {
                "name": name,
                "shape": values.shape,
                "datatype": _DATATYPES[values.dtype.kind],
                "data": values.ravel().tolist(),
            }
            for name, values in tensors
        ],
    }


def _binary(request: InferRequest, wanted: list[str]) -> dict[str, bool]:
    """Which of the wanted outputs go as bytes: each output's own wish, else the request's."""
    binary = dict.fromkeys(wanted, request.use_binary_outputs)
    for output in () if request.from_grpc else request.request_outputs or ():
        if (own := output.binary_data) is not None:
            binary[output.name] = bool(own)
    return binary


def _requested(request: InferRequest, wanted: list[str], binary: dict[str, bool]) -> list[Any]:
    from kserve.protocol.infer_type import RequestedOutput

    return [RequestedOutput(name, {"binary_data": binary[name]}) for name in wanted]


def _tensor(name: str, values: NDArray[Any], request: InferRequest) -> InferOutput:
    """Over gRPC a client gets the form it asked in, raw or typed; REST's is settled by ``to_rest``."""
    if values.dtype == np.object_:
        values = np.array([text.encode() for text in values.flat], np.object_).reshape(values.shape)
    output = InferOutput(name, list(values.shape), _DATATYPES[values.dtype.kind], values)
    if request.from_grpc and request.use_binary_outputs:
        output.set_data_from_numpy(values)
    elif request.from_grpc:
        output.data = values.ravel().tolist()
    return output


def _v1(answerer: Answerer, found: Found) -> dict[str, Any]:
    predictions, (labels, scores) = found.predictions, found.top
    rows = zip(
        labels, scores.tolist(), predictions.probabilities.tolist(), _strangeness(predictions), strict=True
    )
    return {
        "predictions": [
            {"label": label[0], "score": score[0], "labels": label, "scores": score, "probabilities": row}
            | more
            for label, score, row, more in rows
        ],
        "model_name": answerer.name,
        "model_version": answerer.version,
    }


def _strangeness(predictions: Predictions) -> list[dict[str, Any]]:
    if predictions.novelty is None or predictions.known is None:
        return [{}] * len(predictions.probabilities)
    rows = zip(predictions.known.tolist(), predictions.novelty.tolist(), strict=True)
    return [{"known": known, "novelty": novelty} for known, novelty in rows]
