"""The model as kserve sees it: V2 and V1 requests in, answers out, whatever the transport."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import numpy as np
from kserve import InferRequest, InferResponse, Model
from numpy.typing import NDArray

from phytoflow.inference.predictions import Predictions
from serving.predictor.engine.engine import Engine
from serving.predictor.engine.explain import heats
from serving.predictor.engine.versions import Versions
from serving.predictor.errors import RequestError, internal
from serving.predictor.inputs.types import size_of
from serving.predictor.observability.metrics import ACTIVE, DURATION
from serving.predictor.options import Options
from serving.predictor.protocol import metadata
from serving.predictor.protocol import response as answers
from serving.predictor.protocol.outputs import Found
from serving.predictor.protocol.request import Asked, read
from serving.predictor.protocol.response import Answerer

_T = TypeVar("_T")
_LOG = logging.getLogger("phytoflow.requests")
_LIGHT_BYTES = 2**20
_PROCESS, _COUNT = uuid.uuid4().hex[:12], itertools.count(1)


class LeafModel(Model):
    """Answers photos with their classes.

    Attributes:
        versions: Which version runs them.
    """

    def __init__(self, name: str, versions: Versions) -> None:
        super().__init__(name)
        self.versions = versions
        self.ready = True
        self._active = 0
        ACTIVE.set_function(lambda: self._active)

    @property
    def current(self) -> Engine:
        """The version that answers now; raises RequestError where none is loaded."""
        return self.versions.current

    async def healthy(self) -> bool:
        """Whether it can answer now; ``/v2/models/M/ready`` says so."""
        return self.ready and self.versions.alive

    def load(self) -> bool:
        """Kserve calls this before a request to a model that is not ready; it is not how one is loaded."""
        return self.versions.alive

    def check(self, name: str, version: str | None = None) -> None:
        """Refuses another model's name, or a version other than the one that answers; RequestError 404."""
        if name != self.name:
            raise RequestError(404, "no_such_model", f"no such model; this is {self.name!r}")
        if version and version != self.current.version:
            raise RequestError(404, "no_such_version", f"no such version; this is {self.current.version}")

    def check_change(self, name: str, options: Options) -> None:
        """Refuses a change to another model, or any where none is allowed; RequestError 404 or 403."""
        self.check(name)
        if options.model_control_mode != "explicit":
            raise RequestError(
                403,
                "not_allowed",
                "versions can be changed only if the predictor runs with --model_control_mode=explicit",
            )

    async def predict(
        self, payload: InferRequest | dict[str, Any], headers: Mapping[str, str] | None = None, *_: Any
    ) -> InferResponse | dict[str, Any]:
        """Answers one request.

        Raises:
            RequestError: What is wrong with it.
        """
        request_id, start = _request_id(payload, headers or {}), time.perf_counter()
        line: dict[str, Any] = {"request_id": request_id, "photos": 0, "outcome": "answered"}
        self._active += 1
        try:
            return await self._answer(payload, request_id, line)
        except RequestError as error:
            line["outcome"] = error.reason
            raise
        except asyncio.CancelledError:
            line["outcome"] = "client_disconnected"
            raise
        except Exception as error:
            line["outcome"] = "internal"
            _LOG.exception("request %s failed", request_id)
            raise internal() from error
        finally:
            self._active -= 1
            seconds = time.perf_counter() - start
            DURATION.observe(seconds)
            line["milliseconds"] = round(seconds * 1000, 2)
            _LOG.info("request", extra=line)

    def get_input_types(self) -> list[dict[str, Any]]:
        """The ways to send photos."""
        return metadata.inputs(self.current)

    def get_output_types(self) -> list[dict[str, Any]]:
        """What is answered."""
        return metadata.outputs(self.current)

    async def _answer(
        self, payload: InferRequest | dict[str, Any], request_id: str, line: dict[str, Any]
    ) -> InferResponse | dict[str, Any]:
        with self.current as engine:  # one version from here on, whatever is loaded meanwhile
            line["version"] = engine.version
            asked = read(payload, engine) if _light(payload) else await offload(read, payload, engine)
            line |= {"photos": len(asked.photos), "bytes": sum(map(size_of, asked.photos))}
            predictions, milliseconds = await engine.answer(asked.photos, asked.augmentation)
            heat = await offload(_heat, asked, predictions, engine) if asked.explain else None
            answerer = Answerer(self.name, engine.version)
            return answers.of(
                answerer, payload, request_id, Found(predictions, milliseconds, asked.top_k, heat)
            )


def _heat(asked: Asked, predictions: Predictions, engine: Engine) -> NDArray[np.float32]:
    likeliest = predictions.probabilities.argmax(axis=1).tolist()
    labels = likeliest if asked.explained is None else [asked.explained] * len(likeliest)
    return heats(asked.photos, labels, engine)


async def offload(function: Callable[..., _T], *arguments: Any) -> _T:
    """Runs in a thread, so that the event loop stays quick for others."""
    return await asyncio.to_thread(function, *arguments)


def _light(payload: InferRequest | dict[str, Any]) -> bool:
    """Whether reading it costs less than handing it to a thread: binary photos only need to be cut out."""
    if not isinstance(payload, InferRequest):
        return False
    for tensor in payload.inputs:
        if tensor._raw_data is None or len(tensor._raw_data) >= _LIGHT_BYTES:
            return False
    return True


def _request_id(payload: InferRequest | dict[str, Any], headers: Mapping[str, str]) -> str:
    own = payload.id if isinstance(payload, InferRequest) else ""
    return own or headers.get("x-request-id", "")[:256] or f"{_PROCESS}-{next(_COUNT)}"
