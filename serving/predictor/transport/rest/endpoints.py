"""The REST routes that read photos; they stand before kserve's own, which read and echo without bounds.

Everything else (liveness, readiness, metrics, server metadata) is kserve's.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from serving.predictor.engine.explain import explanations
from serving.predictor.errors import RequestError, client_disconnected, internal, malformed
from serving.predictor.model import LeafModel, offload
from serving.predictor.options import Options
from serving.predictor.protocol.metadata import describe
from serving.predictor.transport.byte_budget import Budget
from serving.predictor.transport.rest import openapi
from serving.predictor.transport.rest import responses as replies
from serving.predictor.transport.rest.body import Body
from serving.predictor.transport.rest.disconnect import unless_gone
from serving.predictor.transport.rest.responses import Reply, refusal
from serving.predictor.transport.rest.v2_request import BINARY_HEADER, parse_request

_LOG = logging.getLogger(__name__)
_SMALL_BYTES = 256 * 1024


class Rest:
    """The routes' handlers.

    Args:
        model: Who answers.
        options: Limits.
        budget: Bytes in flight, shared with gRPC.

    Attributes:
        path: Of V2 questions.
    """

    def __init__(self, model: LeafModel, options: Options, budget: Budget) -> None:
        self._model = model
        self._options = options
        self._budget = budget
        self.path = f"/v2/models/{model.name}/infer".encode()

    def new_body(self) -> Body:
        """What takes a request's bytes."""
        return Body(self._budget, self._options.max_body_bytes)

    def check_room(self) -> None:
        """Refuses what would find no place in the queue, or no version; RequestError 503."""
        self._model.current.check_room()

    async def reply(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Answers or refuses a V2 question; raises nothing but the end of its task."""
        try:
            return await self._infer(body, headers)
        except RequestError as error:
            return refusal(error)
        except Exception:
            _LOG.exception("a request failed")
            return refusal(internal())

    async def infer(self, request: Request) -> Response:
        """``POST /v2/models/M/infer`` where it comes through FastAPI, and the same of a version."""

        async def answered(body: bytes, request: Request) -> Response:
            return (await self._infer(body, request.headers)).response()

        return await self._answered(request, answered)

    async def predict(self, request: Request) -> Response:
        """``POST /v1/models/M:predict``."""
        return await self._answered(request, self._predict)

    async def metadata(self, request: Request) -> Response:
        """``GET /v2/models/M``: inputs, outputs, version, class names, and the runtime taken."""
        self._check_name(request)
        return replies.json(describe(self._model.name, self._model.current)).response()

    async def explain(self, request: Request) -> Response:
        """``POST /v1/models/M:explain``."""
        return await self._answered(request, self._explain)

    async def _infer(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        length = _header_length(headers)
        small = len(body) <= _SMALL_BYTES
        parse = partial(parse_request, body, length, self._model.name)
        parsed = parse() if small else await offload(parse)
        # Not through kserve's __call__, which measures again what `predict` measures.
        answer = await self._model.predict(parsed, headers)
        return replies.infer(answer) if small else await offload(replies.infer, answer)

    async def _predict(self, body: bytes, request: Request) -> Response:
        try:
            parsed = await offload(orjson.loads, body)
        except orjson.JSONDecodeError as error:
            raise malformed(f"the body is not JSON: {error.msg} at byte {error.pos}") from None
        answer, _ = await self._model(parsed, dict(request.headers))
        return replies.json(answer).response()

    async def _explain(self, body: bytes, request: Request) -> Response:
        try:
            parsed = await offload(orjson.loads, body)
        except orjson.JSONDecodeError as error:
            raise malformed(f"the body is not JSON: {error.msg} at byte {error.pos}") from None
        with self._model.current as engine:
            return replies.json(await offload(explanations, parsed, engine)).response()

    async def _answered(
        self, request: Request, handler: Callable[[bytes, Request], Awaitable[Response]]
    ) -> Response:
        self._check_name(request)
        self.check_room()  # before its body is read: under overload a refusal must cost little
        body = self.new_body()
        try:
            body.check_announced(request.headers.get("content-length", ""))
            async for chunk in request.stream():
                body.receive(chunk)
            self._check_name(request)  # once more: the version may have changed while the body came
            return await unless_gone(request, handler(body.whole(), request))
        except ClientDisconnect:
            raise client_disconnected() from None
        finally:
            body.give_back()

    def _check_name(self, request: Request) -> None:
        self._model.check(request.path_params["name"], request.path_params.get("version"))


def add_routes(app: FastAPI, rest: Rest) -> None:
    """Adds the routes and how errors look; call before kserve adds its own."""
    router = APIRouter(tags=["Photos"])
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        router.add_api_route(path, rest.metadata, methods=["GET"])
        router.add_api_route(f"{path}/infer", rest.infer, methods=["POST"], openapi_extra=openapi.INFER)
    predict = "/v1/models/{name}:predict"
    router.add_api_route(predict, rest.predict, methods=["POST"], openapi_extra=openapi.PREDICT)
    router.add_api_route("/v1/models/{name}:explain", rest.explain, methods=["POST"])
    app.include_router(router)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)


def _header_length(headers: Mapping[str, str]) -> int | None:
    text = headers.get(BINARY_HEADER)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise malformed("Inference-Header-Content-Length is not a number of bytes")
    return int(text)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return refusal(error).response()


async def _invalid(_: Request, error: Exception) -> Response:
    """FastAPI's own answer would quote the input."""
    assert isinstance(error, RequestValidationError)
    fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return refusal(RequestError(422, "malformed", fields)).response()
