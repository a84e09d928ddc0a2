"""V2's model repository over REST: load (or swap) a version, unload it, and say what is there."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.requests import ClientDisconnect

from serving.predictor.errors import client_disconnected, malformed, too_large
from serving.predictor.model import LeafModel
from serving.predictor.options import Options
from serving.predictor.transport.rest import openapi

_MAX_BODY = 4096


class Repository:
    """The routes' handlers.

    Args:
        model: Whose versions.
        options: Whether clients may change them.
    """

    def __init__(self, model: LeafModel, options: Options) -> None:
        self._model = model
        self._options = options

    async def ready(self, request: Request) -> Response:
        """``GET /v2/models/M[/versions/V]/ready``; kserve answers a version with 501."""
        self._model.check(request.path_params["name"], request.path_params.get("version"))
        ready = await self._model.healthy()
        return _json({"name": self._model.name, "ready": ready}, 200 if ready else 503)

    async def load(self, request: Request) -> Response:
        """``POST /v2/repository/models/M/load``; ``{"parameters": {"bundle": "apple/2"}}`` names one."""
        self._model.check_change(request.path_params["name"], self._options)
        engine = await self._model.versions.load(_bundle_name(await _body(request)))
        return _json({"name": self._model.name, "load": True, "version": engine.version})

    async def unload(self, request: Request) -> Response:
        """``POST /v2/repository/models/M/unload``."""
        self._model.check_change(request.path_params["name"], self._options)
        await _body(request)
        await self._model.versions.unload()
        return _json({"name": self._model.name, "unload": True})

    async def index(self, request: Request) -> Response:
        """``POST /v2/repository/index``."""
        await _body(request)
        versions = self._model.versions
        version = versions.current.version if versions.loaded else ""
        state = "READY" if versions.alive else "UNAVAILABLE"
        return _json([{"name": self._model.name, "version": version, "state": state, "reason": ""}])


def add_repository(app: FastAPI, model: LeafModel, options: Options) -> None:
    """Adds the routes; call before kserve adds its own, which know nothing of versions."""
    repository, router = Repository(model, options), APIRouter(tags=["Versions"])
    for path in ("/v2/models/{name}/ready", "/v2/models/{name}/versions/{version}/ready"):
        router.add_api_route(path, repository.ready, methods=["GET"])
    router.add_api_route("/v2/repository/index", repository.index, methods=["POST"])
    load = "/v2/repository/models/{name}/load"
    router.add_api_route(load, repository.load, methods=["POST"], openapi_extra=openapi.LOAD)
    router.add_api_route("/v2/repository/models/{name}/unload", repository.unload, methods=["POST"])
    app.include_router(router)


async def _body(request: Request) -> dict[str, Any]:
    content = b""
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > _MAX_BODY:
                raise too_large(f"more than the {_MAX_BODY} bytes this request may have")
    except ClientDisconnect:
        raise client_disconnected() from None
    try:
        fields = orjson.loads(content or b"{}")
    except orjson.JSONDecodeError as error:
        raise malformed(f"the body is not JSON: {error.msg} at byte {error.pos}") from None
    if not isinstance(fields, dict):
        raise malformed("the body is not an object")
    return fields


def _bundle_name(fields: dict[str, Any]) -> str:
    parameters = fields.get("parameters", {})
    if not isinstance(parameters, dict) or parameters.keys() - {"bundle"}:
        raise malformed('parameters is not {"bundle": "..."}')
    name = parameters.get("bundle", "")
    if not isinstance(name, str):
        raise malformed("parameters.bundle is not a string")
    return name


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
