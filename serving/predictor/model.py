"""The model as kserve sees it: V2 and V1 requests in, answers out, whatever the transport."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from kserve import InferRequest, InferResponse, Model
from kserve.protocol.infer_type import to_http_parameters

from serving.predictor import answers
from serving.predictor.engine import Engine
from serving.predictor.errors import RequestError, malformed
from serving.predictor.metrics import ACTIVE, DURATION, ERRORS
from serving.predictor.photos import Photo, photos_of, photos_of_instances

_T = TypeVar("_T")
_LOG = logging.getLogger("phytoflow.requests")
_DEFAULT_TOP_K = 5
_KNOWN = {"top_k", "binary_data_output"}


class LeafModel(Model):
    """Answers photos with their classes.

    Attributes:
        engine: What runs them.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        super().__init__(name)
        self.engine = engine
        self.ready = True

    async def healthy(self) -> bool:
        """Whether it can answer now; ``/v2/models/M/ready`` says so."""
        return self.ready and self.engine.alive

    def load(self) -> bool:
        """Kserve calls this for a model that is not ready; only a new process makes this one ready again."""
        return self.ready

    async def predict(
        self, payload: InferRequest | dict[str, Any], headers: dict[str, str] | None = None, *_: Any
    ) -> InferResponse | dict[str, Any]:
        """Answers one request.

        Raises:
            RequestError: What is wrong with it; for gRPC as a status.
        """
        request_id = _request_id(payload, headers or {})
        start = time.perf_counter()
        outcome, photos = "answered", 0
        try:
            with ACTIVE.track_inprogress(), DURATION.time():
                found, top_k = await offload(self._read, payload)
                photos = len(found)
                predictions, milliseconds = await self.engine.answer(found)
                return answers.of(self, payload, request_id, predictions, milliseconds, top_k)
        except RequestError as error:
            outcome = error.reason
            raise (_counted(error).grpc() if _over_grpc(payload) else error) from None
        except asyncio.CancelledError:
            outcome = "client gone"
            raise
        except Exception as error:
            outcome = "internal"
            _LOG.exception("request %s failed", request_id)
            failure = RequestError(500, "internal", "the predictor failed; see its log")
            raise (_counted(failure).grpc() if _over_grpc(payload) else failure) from error
        finally:
            _LOG.info(
                "request",
                extra={
                    "request_id": request_id,
                    "version": self.engine.version,
                    "photos": photos,
                    "milliseconds": round((time.perf_counter() - start) * 1000, 2),
                    "outcome": outcome,
                },
            )

    def get_input_types(self) -> list[dict[str, Any]]:
        """The three ways to send photos; a request holds exactly one of them."""
        size = self.engine.bounds.size
        return [
            {"name": "photos", "datatype": "BYTES", "shape": [-1]},
            {"name": "pixels", "datatype": "UINT8", "shape": [-1, -1, -1, 3]},
            {"name": "tensor", "datatype": "FP32", "shape": [-1, 3, size, size]},
        ]

    def get_output_types(self) -> list[dict[str, Any]]:
        """What is answered; k is the parameter ``top_k``."""
        found = [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, len(self.engine.classifier.classes)]},
            {"name": "labels", "datatype": "BYTES", "shape": [-1, -1]},
            {"name": "scores", "datatype": "FP32", "shape": [-1, -1]},
            {"name": "milliseconds", "datatype": "FP32", "shape": [-1]},
            {"name": "known", "datatype": "BOOL", "shape": [-1]},
            {"name": "novelty", "datatype": "FP32", "shape": [-1]},
        ]
        return [output for output in found if output["name"] in self._outputs]

    @property
    def _outputs(self) -> tuple[str, ...]:
        return answers.outputs(open_set=self.engine.classifier.tells_strangers)

    def _read(self, payload: InferRequest | dict[str, Any]) -> tuple[list[Photo], int]:
        if isinstance(payload, InferRequest):
            answers.check_outputs(payload, self._outputs)
            parameters = to_http_parameters(payload.parameters or {})
            return photos_of(payload.inputs, self.engine.bounds), self._top_k(parameters)
        parameters = payload.get("parameters", {}) if isinstance(payload, dict) else {}
        if not isinstance(parameters, dict):
            raise malformed("parameters is not an object")
        return photos_of_instances(payload, self.engine.bounds), self._top_k(parameters)

    def _top_k(self, parameters: dict[str, Any]) -> int:
        if unknown := sorted(str(key)[:40] for key in parameters.keys() - _KNOWN):
            raise malformed(f"unknown parameter {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}")
        classes = len(self.engine.classifier.classes)
        top_k = parameters.get("top_k", min(_DEFAULT_TOP_K, classes))
        if not isinstance(top_k, int) or isinstance(top_k, bool) or not 1 <= top_k <= classes:
            raise malformed(f"top_k is not an integer from 1 to {classes}")
        return top_k


async def offload(function: Callable[..., _T], *arguments: Any) -> _T:
    """Runs in a thread, so that the event loop stays quick for others."""
    return await asyncio.to_thread(function, *arguments)


def _over_grpc(payload: InferRequest | dict[str, Any]) -> bool:
    return isinstance(payload, InferRequest) and bool(payload.from_grpc)


def _counted(error: RequestError) -> RequestError:
    """REST's errors are counted where they become statuses, with those that never get here."""
    ERRORS.labels(error.reason).inc()
    return error


def _request_id(payload: InferRequest | dict[str, Any], headers: dict[str, str]) -> str:
    own = payload.id if isinstance(payload, InferRequest) else ""
    return own or headers.get("x-request-id", "")[:256] or uuid.uuid4().hex
