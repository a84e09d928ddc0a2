"""The model as kserve sees it: handles V2 and V1 requests of every transport."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import numpy as np
from kserve import InferRequest, InferResponse, Model
from numpy.typing import NDArray

from phytoflow.inference.predictions import Predictions
from serving.predictor.engine.engine import Engine
from serving.predictor.engine.explain import heat_maps
from serving.predictor.engine.versions import Versions
from serving.predictor.errors import RequestError, client_disconnected, internal
from serving.predictor.inputs.types import byte_size
from serving.predictor.observability.metrics import ACTIVE, DURATION
from serving.predictor.options import Options
from serving.predictor.prediction_log.record import AnsweredRequest
from serving.predictor.prediction_log.sender import LogSender
from serving.predictor.protocol.metadata import describe_inputs, describe_outputs
from serving.predictor.protocol.outputs import PredictionOutputs
from serving.predictor.protocol.request import PredictRequest, parse_request
from serving.predictor.protocol.response import ModelIdentity, build_response

_T = TypeVar("_T")
_Response: TypeAlias = InferResponse | dict[str, Any]
_LOG = logging.getLogger("phytoflow.requests")
_INLINE_BYTES = 2**20  # binary tensors below it are cheaper to read than to hand to a thread
_MAX_REQUEST_ID = 256  # characters of a client's header
_PROCESS, _COUNT = uuid.uuid4().hex[:12], itertools.count(1)


class PhotoModel(Model):
    """Classifies photos.

    Args:
        name: Model name.
        versions: The version that serves.
        log_sender: Logs predictions; None: they are not logged.

    Attributes:
        versions: The version that serves.
    """

    def __init__(self, name: str, versions: Versions, log_sender: LogSender | None = None) -> None:
        super().__init__(name)
        self.versions = versions
        self.ready = True
        self._active = 0
        self._log_sender = log_sender
        ACTIVE.set_function(lambda: self._active)

    @property
    def current(self) -> Engine:
        """The version that serves; raises RequestError 503 if none is loaded."""
        return self.versions.current

    async def healthy(self) -> bool:
        """Whether it can serve; ``/v2/models/M/ready`` returns this."""
        return self.ready and self.versions.alive

    def load(self) -> bool:
        """Loads nothing; kserve calls it before a request to a model that is not ready."""
        return self.versions.alive

    def check(self, name: str, version: str | None = None) -> None:
        """Raises RequestError 404 for another model's name, or for another version than the current one."""
        if name != self.name:
            raise RequestError(404, "no_such_model", f"no such model; this is {self.name!r}")
        if version and version != self.current.version:
            raise RequestError(404, "no_such_version", f"no such version; this is {self.current.version}")

    def check_change(self, name: str, options: Options) -> None:
        """Raises RequestError 404 for another model, 403 if clients may not change versions."""
        self.check(name)
        if options.model_control_mode != "explicit":
            what = "versions can be changed only if the predictor runs with --model_control_mode=explicit"
            raise RequestError(403, "not_allowed", what)

    async def predict(
        self, payload: InferRequest | dict[str, Any], headers: Mapping[str, str] | None = None, *_: Any
    ) -> _Response:
        """Handles a request, measures it and logs one line.

        Raises:
            RequestError: The request cannot be answered.
        """
        request_id, start = _request_id(payload, headers or {}), time.perf_counter()
        fields: dict[str, Any] = {"request_id": request_id, "photos": 0, "outcome": "answered"}
        self._active += 1
        try:
            return await self._predict(payload, request_id, fields, start)
        except RequestError as error:
            fields["outcome"] = error.reason
            raise
        except asyncio.CancelledError:
            fields["outcome"] = client_disconnected().reason
            raise
        except Exception as error:
            fields["outcome"] = internal().reason
            _LOG.exception("request %s failed", request_id)
            raise internal() from error
        finally:
            self._active -= 1
            seconds = time.perf_counter() - start
            DURATION.observe(seconds)
            fields["milliseconds"] = round(seconds * 1000, 2)
            _LOG.info("request", extra=fields)

    def get_input_types(self) -> list[dict[str, Any]]:
        """Inputs, for kserve's metadata."""
        return describe_inputs(self.current)

    def get_output_types(self) -> list[dict[str, Any]]:
        """Outputs, for kserve's metadata."""
        return describe_outputs(self.current)

    async def _predict(
        self,
        payload: InferRequest | dict[str, Any],
        request_id: str,
        fields: dict[str, Any],
        start: float,
    ) -> _Response:
        with self.current as engine:  # one version for the whole request, whatever is loaded meanwhile
            fields["version"] = engine.version
            inline = _is_cheap_to_read(payload)
            request = (
                parse_request(payload, engine) if inline else await offload(parse_request, payload, engine)
            )
            fields |= {"photos": len(request.photos), "bytes": sum(map(byte_size, request.photos))}
            predictions, milliseconds = await engine.predict(request.photos, request.augmentation)
            heat = await offload(_explain, request, predictions, engine) if request.explain else None
            outputs = PredictionOutputs(predictions, milliseconds, request.top_k, heat)
            identity = ModelIdentity(self.name, engine.version)
            response = build_response(identity, payload, request_id, outputs, request.outputs)
            if self._log_sender and not request.logged:
                seconds = time.perf_counter() - start
                self._log_sender.add(
                    AnsweredRequest(
                        time.time(),
                        _source(payload),
                        request.photos,
                        predictions,
                        seconds,
                        *identity,
                        request_id,
                    )
                )
            return response


async def offload(function: Callable[..., _T], *arguments: Any) -> _T:
    """Runs a function in a thread, so that the event loop stays responsive."""
    return await asyncio.to_thread(function, *arguments)


def _explain(request: PredictRequest, predictions: Predictions, engine: Engine) -> NDArray[np.float32]:
    likeliest = predictions.probabilities.argmax(axis=1).tolist()
    explained = request.explained_class
    labels = likeliest if explained is None else [explained] * len(likeliest)
    return heat_maps(request.photos, labels, engine)


def _is_cheap_to_read(payload: InferRequest | dict[str, Any]) -> bool:
    """Whether reading costs less than a thread: binary photos need only be sliced, base64 is decoded."""
    return isinstance(payload, InferRequest) and all(
        tensor._raw_data is not None and len(tensor._raw_data) < _INLINE_BYTES for tensor in payload.inputs
    )


def _source(payload: InferRequest | dict[str, Any]) -> str:
    """How the request came, in the words of the prediction log."""
    if not isinstance(payload, InferRequest):
        return "v1"
    return "v2-grpc" if payload.from_grpc else "v2-rest"


def _request_id(payload: InferRequest | dict[str, Any], headers: Mapping[str, str]) -> str:
    own = payload.id if isinstance(payload, InferRequest) else ""
    return own or headers.get("x-request-id", "")[:_MAX_REQUEST_ID] or f"{_PROCESS}-{next(_COUNT)}"
