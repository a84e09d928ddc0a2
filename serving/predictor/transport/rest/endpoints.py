"""REST endpoints that read photos. They replace kserve's own, which read and echo requests without limits.

All other endpoints (liveness, readiness, metrics, server metadata) are kserve's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from serving.predictor.engine.explain import explain_instances
from serving.predictor.errors import RequestError, client_disconnected, internal, malformed
from serving.predictor.inputs.json_body import parse_json
from serving.predictor.model import PhotoModel, offload
from serving.predictor.options import Options
from serving.predictor.protocol.metadata import describe_model
from serving.predictor.transport.byte_budget import ByteBudget
from serving.predictor.transport.rest import openapi
from serving.predictor.transport.rest.body import RequestBody
from serving.predictor.transport.rest.content_encoding import decoder_for
from serving.predictor.transport.rest.disconnect import cancel_on_disconnect
from serving.predictor.transport.rest.responses import (
    HttpResponse,
    error_response,
    infer_response,
    json_response,
)
from serving.predictor.transport.rest.v2_request import BINARY_HEADER, parse_v2_body

_LOG = logging.getLogger(__name__)
_INLINE_BYTES = 256 * 1024  # larger bodies are parsed in a thread, so that the event loop stays responsive
_Handler = Callable[[bytes, Mapping[str, str]], Awaitable[HttpResponse]]


class RestEndpoints:
    """Handlers of the endpoints.

    Args:
        model: The model.
        options: Limits.
        budget: Bytes in progress, shared with gRPC.

    Attributes:
        infer_path: Path of V2 infer requests, which the fast path handles.
    """

    def __init__(self, model: PhotoModel, options: Options, budget: ByteBudget) -> None:
        self._model = model
        self._options = options
        self._budget = budget
        self.infer_path = f"/v2/models/{model.name}/infer".encode()

    def new_body(self) -> RequestBody:
        """Returns an empty body within the predictor's limits."""
        return RequestBody(self._budget, self._options.max_body_bytes, "--max_body_bytes")

    def check_room(self) -> None:
        """Raises RequestError 503 if the queue is full or no version is loaded."""
        self._model.current.check_room()

    async def respond(self, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        """Handles a V2 infer request of the fast path; raises nothing but ``CancelledError``."""
        try:
            return await self._infer(body, headers)
        except RequestError as error:
            return error_response(error)
        except Exception:
            _LOG.exception("a request failed")
            return error_response(internal())

    async def infer(self, request: Request) -> Response:
        """``POST /v2/models/M[/versions/V]/infer`` through FastAPI."""
        return await self._handle(request, self._infer)

    async def predict(self, request: Request) -> Response:
        """``POST /v1/models/M:predict``."""
        return await self._handle(request, self._predict)

    async def explain(self, request: Request) -> Response:
        """``POST /v1/models/M:explain``."""
        return await self._handle(request, self._explain)

    async def metadata(self, request: Request) -> Response:
        """``GET /v2/models/M[/versions/V]``: inputs, outputs, version, class names and runtime."""
        self._check_name(request)
        return json_response(describe_model(self._model.name, self._model.current)).to_starlette()

    async def _infer(self, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        parse = partial(parse_v2_body, body, _parse_json_length(headers), self._model.name)
        inline = len(body) <= _INLINE_BYTES
        payload = parse() if inline else await offload(parse)
        # Not through kserve's __call__, which measures again what `predict` measures.
        response = await self._model.predict(payload, headers)
        return infer_response(response) if inline else await offload(infer_response, response)

    async def _predict(self, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        response, _ = await self._model(await offload(parse_json, body), dict(headers))
        return json_response(response)

    async def _explain(self, body: bytes, headers: Mapping[str, str]) -> HttpResponse:
        payload = await offload(parse_json, body)
        with self._model.current as engine:
            return json_response(await offload(explain_instances, payload, engine))

    async def _handle(self, request: Request, handler: _Handler) -> Response:
        """Reads the body within the limits and runs the handler, unless the client disconnects."""
        self._check_name(request)
        self.check_room()  # before the body is read: under overload a refusal must cost little
        body = self.new_body()
        try:
            await read_body(request, body)
            self._check_name(request)  # once more: the version may have changed while the body arrived
            return await cancel_on_disconnect(request, _run(handler, body.join(), request.headers))
        finally:
            body.release()

    def _check_name(self, request: Request) -> None:
        self._model.check(request.path_params["name"], request.path_params.get("version"))


async def read_body(request: Request, body: RequestBody) -> None:
    """Reads and decompresses the body of a request.

    Raises:
        RequestError: 413 or 503 beyond a limit, 415 for an unknown encoding, 400 for a damaged one, 499 if
            the client disconnects.
    """
    decoder = decoder_for(request.headers.get("content-encoding", ""))
    body.check_announced(request.headers.get("content-length", ""))
    try:
        async for chunk in request.stream():
            for piece in decoder.decode(chunk):
                body.receive(piece)
                if len(piece) > len(chunk):  # a highly compressed body must not occupy the event loop
                    await asyncio.sleep(0)
    except ClientDisconnect:
        raise client_disconnected() from None
    decoder.finish()


def add_routes(app: FastAPI, rest: RestEndpoints) -> None:
    """Adds the endpoints and error handlers; must be called before kserve adds its own."""
    router = APIRouter(tags=["Photos"])
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        router.add_api_route(path, rest.metadata, methods=["GET"])
        router.add_api_route(f"{path}/infer", rest.infer, methods=["POST"], openapi_extra=openapi.INFER)
    predict = "/v1/models/{name}:predict"
    router.add_api_route(predict, rest.predict, methods=["POST"], openapi_extra=openapi.PREDICT)
    router.add_api_route("/v1/models/{name}:explain", rest.explain, methods=["POST"])
    app.include_router(router)
    app.add_exception_handler(RequestError, _handle_request_error)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)


async def _run(handler: _Handler, body: bytes, headers: Mapping[str, str]) -> Response:
    return (await handler(body, headers)).to_starlette()


def _parse_json_length(headers: Mapping[str, str]) -> int | None:
    text = headers.get(BINARY_HEADER)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12:  # 12 digits are far above any limit
        raise malformed("Inference-Header-Content-Length is not a number of bytes")
    return int(text)


async def _handle_request_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return error_response(error).to_starlette()


async def _handle_validation_error(_: Request, error: Exception) -> Response:
    """FastAPI's own response would quote the input."""
    assert isinstance(error, RequestValidationError)
    fields = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:3])
    return error_response(RequestError(422, "malformed", fields)).to_starlette()
