"""Encodes predictions as V2 and V1 responses."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse
from kserve.protocol.infer_type import RequestedOutput
from numpy.typing import NDArray

from phytoflow.inference.predictions import Predictions
from serving.predictor.protocol.outputs import OutputRequest, PredictionOutputs

_DATATYPES = {"O": "BYTES", "f": "FP32", "b": "BOOL"}  # by numpy's kind
_Tensors = list[tuple[OutputRequest, NDArray[Any]]]


class ModelIdentity(NamedTuple):
    """The model that answers.

    Attributes:
        name: Model name.
        version: Version; one version answers the whole request.
    """

    name: str
    version: str


def build_response(
    identity: ModelIdentity,
    payload: InferRequest | dict[str, Any],
    request_id: str,
    outputs: PredictionOutputs,
    requested: tuple[OutputRequest, ...],
) -> InferResponse | dict[str, Any]:
    """Builds the response in the protocol of the request.

    Args:
        identity: The model that answered.
        payload: The request.
        request_id: Id to return.
        outputs: The predictions.
        requested: V2 outputs to return; empty: all of them.
    """
    if not isinstance(payload, InferRequest):
        return _build_v1(identity, outputs)
    tensors = list(outputs.select(requested))
    if payload.from_grpc:
        return _build_grpc(identity, request_id, tensors, payload.use_binary_outputs)
    binary = {
        output.name: payload.use_binary_outputs if output.binary is None else output.binary
        for output, _ in tensors
    }
    if any(binary.values()):
        return _build_binary(identity, request_id, tensors, binary)
    return _build_json(identity, request_id, tensors)


def _build_json(identity: ModelIdentity, request_id: str, tensors: _Tensors) -> dict[str, Any]:
    """What ``InferResponse.to_rest`` returns for JSON outputs, at a fraction of its cost."""
    return {
        "id": request_id,
        "model_name": identity.name,
        "model_version": identity.version,
        "outputs": [
            {
                "name": output.name,
                "shape": values.shape,
                "datatype": _DATATYPES[values.dtype.kind],
                "data": values.ravel().tolist(),
            }
            for output, values in tensors
        ],
    }


def _build_binary(
    identity: ModelIdentity, request_id: str, tensors: _Tensors, binary: dict[str, bool]
) -> InferResponse:
    return InferResponse(
        request_id,
        identity.name,
        [_to_output(output.name, values) for output, values in tensors],
        model_version=identity.version,
        use_binary_outputs=True,
        requested_outputs=[RequestedOutput(name, {"binary_data": own}) for name, own in binary.items()],
    )


def _build_grpc(identity: ModelIdentity, request_id: str, tensors: _Tensors, raw: bool) -> InferResponse:
    """The client gets outputs in the form in which it sent its inputs: raw bytes or typed values."""
    outputs = []
    for requested, values in tensors:
        output = _to_output(requested.name, values)
        if raw:
            output.set_data_from_numpy(output.data)
        else:
            output.data = output.data.ravel().tolist()
        outputs.append(output)
    return InferResponse(
        request_id, identity.name, outputs, model_version=identity.version, use_binary_outputs=raw
    )


def _to_output(name: str, values: NDArray[Any]) -> InferOutput:
    if values.dtype == np.object_:
        values = np.array([text.encode() for text in values.flat], np.object_).reshape(values.shape)
    return InferOutput(name, list(values.shape), _DATATYPES[values.dtype.kind], values)


def _build_v1(identity: ModelIdentity, outputs: PredictionOutputs) -> dict[str, Any]:
    predictions, (labels, scores) = outputs.predictions, outputs.top
    rows = zip(
        labels, scores.tolist(), predictions.probabilities.tolist(), _ood_fields(predictions), strict=True
    )
    return {
        "predictions": [
            {"label": label[0], "score": score[0], "labels": label, "scores": score, "probabilities": row}
            | ood
            for label, score, row, ood in rows
        ],
        "model_name": identity.name,
        "model_version": identity.version,
    }


def _ood_fields(predictions: Predictions) -> list[dict[str, Any]]:
    """``known`` and ``novelty`` of each photo; empty if the bundle does not detect such photos."""
    if predictions.novelty is None or predictions.known is None:
        return [{}] * len(predictions.probabilities)
    rows = zip(predictions.known.tolist(), predictions.novelty.tolist(), strict=True)
    return [{"known": known, "novelty": novelty} for known, novelty in rows]
