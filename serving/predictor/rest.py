"""The REST routes that read photos; they stand before kserve's own, which read and echo without bounds.

Everything else (liveness, readiness, metrics, server metadata) is kserve's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from kserve import InferResponse
from starlette.requests import ClientDisconnect

from serving.predictor import openapi
from serving.predictor.budget import Budget
from serving.predictor.errors import RequestError, client_gone, malformed, too_large
from serving.predictor.explain import explanations
from serving.predictor.front import Front
from serving.predictor.gone import unless_gone
from serving.predictor.metadata import describe
from serving.predictor.metrics import ERRORS
from serving.predictor.model import LeafModel, offload
from serving.predictor.options import Options
from serving.predictor.v2 import BINARY_HEADER, parse_request

_SMALL_BYTES = 256 * 1024


class Rest:
    """The routes' handlers.

    Args:
        model: Who answers.
        options: Limits.
        budget: Bytes in flight, shared with gRPC.
    """

    def __init__(self, model: LeafModel, options: Options, budget: Budget) -> None:
        self._model = model
        self._options = options
        self._budget = budget

    async def infer(self, request: Request) -> Response:
        """``POST /v2/models/M/infer``."""
        return await self._answered(request, self._infer)

    async def infer_or_refuse(self, request: Request) -> Response:
        """The same where nobody else turns errors into answers."""
        try:
            return await self.infer(request)
        except RequestError as error:
            return await _refused(request, error)

    async def predict(self, request: Request) -> Response:
        """``POST /v1/models/M:predict``."""
        return await self._answered(request, self._predict)

    async def metadata(self, request: Request) -> Response:
        """``GET /v2/models/M``: inputs, outputs, version, class names, and the runtime taken."""
        self._check_name(request)
        return _json(describe(self._model.name, self._model.current))

    async def explain(self, request: Request) -> Response:
        """``POST /v1/models/M:explain``."""
        return await self._answered(request, self._explain)

    async def _infer(self, body: bytes, request: Request) -> Response:
        length = _header_length(request)
        small = len(body) <= _SMALL_BYTES
        parse = partial(parse_request, body, length, self._model.name)
        parsed = parse() if small else await offload(parse)
        # Not through kserve's __call__, which measures again what `predict` measures.
        answer = await self._model.predict(parsed, request.headers)
        return _v2_response(answer) if small else await offload(_v2_response, answer)

    async def _predict(self, body: bytes, request: Request) -> Response:
        try:
            parsed = await offload(orjson.loads, body)
        except orjson.JSONDecodeError as error:
            raise malformed(f"the body is not JSON: {error.msg} at byte {error.pos}") from None
        answer, _ = await self._model(parsed, dict(request.headers))
        return _json(answer)

    async def _explain(self, body: bytes, request: Request) -> Response:
        try:
            parsed = await offload(orjson.loads, body)
        except orjson.JSONDecodeError as error:
            raise malformed(f"the body is not JSON: {error.msg} at byte {error.pos}") from None
        with self._model.current.used() as engine:
            return _json(await offload(explanations, parsed, engine))

    async def _answered(
        self, request: Request, handler: Callable[[bytes, Request], Awaitable[Response]]
    ) -> Response:
        self._check_name(request)
        self._model.current.check_room()  # before its body is read: under overload a refusal must cost little
        body = b""
        try:
            body = await self._read(request)
            self._check_name(request)  # once more: the version may have changed while the body came
            return await unless_gone(request, handler(body, request))
        finally:
            self._budget.give_back(len(body))

    async def _read(self, request: Request) -> bytes:
        """The body, counted as it comes: what is announced or sent beyond the limits is not kept."""
        limit = self._options.max_body_bytes
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > limit:
            raise too_large(f"{announced} bytes; one request may have {limit}")
        chunks, size = [], 0
        try:
            async for chunk in request.stream():
                if size + len(chunk) > limit:
                    raise too_large(f"more than the {limit} bytes one request may have")
                self._budget.take(len(chunk))
                size += len(chunk)
                chunks.append(chunk)
        except ClientDisconnect:
            self._budget.give_back(size)
            raise client_gone() from None
        except BaseException:
            self._budget.give_back(size)
            raise
        return b"".join(chunks)

    def _check_name(self, request: Request) -> None:
        self._model.check(request.path_params["name"], request.path_params.get("version"))


def add_routes(app: FastAPI, model: LeafModel, options: Options, budget: Budget) -> Front:
    """Adds the routes and how errors look; call before kserve adds its own. Gives the way in."""
    rest, router = Rest(model, options, budget), APIRouter(tags=["Photos"])
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        router.add_api_route(path, rest.metadata, methods=["GET"])
        router.add_api_route(f"{path}/infer", rest.infer, methods=["POST"], openapi_extra=openapi.INFER)
    predict = "/v1/models/{name}:predict"
    router.add_api_route(predict, rest.predict, methods=["POST"], openapi_extra=openapi.PREDICT)
    router.add_api_route("/v1/models/{name}:explain", rest.explain, methods=["POST"])
    app.include_router(router)
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    return Front(app, model.name, rest.infer_or_refuse)


def _header_length(request: Request) -> int | None:
    text = request.headers.get(BINARY_HEADER)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise malformed("Inference-Header-Content-Length is not a number of bytes")
    return int(text)


def _v2_response(answer: InferResponse | dict[str, Any]) -> Response:
    if isinstance(answer, dict):
        return _json(answer)
    content, json_length = answer.to_rest()  # some outputs go as bytes; all as JSON came as a dict
    headers = {BINARY_HEADER: str(json_length)}
    return Response(content, headers=headers, media_type="application/octet-stream")


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json")


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    ERRORS.labels(error.reason).inc()
    headers = {"Retry-After": "1"} if error.status == 503 else None
    return _json({"error": error.message, "reason": error.reason}, error.status, headers)


async def _invalid(_: Request, error: Exception) -> Response:
    """FastAPI's own answer would quote the input."""
    assert isinstance(error, RequestValidationError)
    ERRORS.labels("malformed").inc()
    fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return _json({"error": fields, "reason": "malformed"}, 422)
