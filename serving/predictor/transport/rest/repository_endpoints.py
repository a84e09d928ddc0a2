"""REST endpoints of V2's model repository: load or swap a version, unload it, and list it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response

from serving.predictor.errors import malformed
from serving.predictor.inputs.json_body import parse_json
from serving.predictor.model import PhotoModel
from serving.predictor.options import Options
from serving.predictor.transport.byte_budget import ByteBudget
from serving.predictor.transport.rest import openapi
from serving.predictor.transport.rest.body import RequestBody
from serving.predictor.transport.rest.endpoints import read_body
from serving.predictor.transport.rest.responses import json_response

_MAX_BODY_BYTES = 4096  # the name of a bundle, and some room


class RepositoryEndpoints:
    """Handlers of the endpoints.

    Args:
        model: The model whose versions are changed.
        options: Whether clients may change them.
        budget: Bytes in progress, shared with all requests.
    """

    def __init__(self, model: PhotoModel, options: Options, budget: ByteBudget) -> None:
        self._model = model
        self._options = options
        self._budget = budget

    async def ready(self, request: Request) -> Response:
        """``GET /v2/models/M[/versions/V]/ready``; kserve answers a version with 501."""
        self._model.check(request.path_params["name"], request.path_params.get("version"))
        ready = await self._model.healthy()
        content = {"name": self._model.name, "ready": ready}
        return json_response(content, 200 if ready else 503).to_starlette()

    async def load(self, request: Request) -> Response:
        """``POST /v2/repository/models/M/load``; ``{"parameters": {"bundle": "apple/2"}}`` names a bundle."""
        self._model.check_change(request.path_params["name"], self._options)
        engine = await self._model.versions.load(_parse_bundle_name(await self._read(request)))
        return json_response(
            {"name": self._model.name, "load": True, "version": engine.version}
        ).to_starlette()

    async def unload(self, request: Request) -> Response:
        """``POST /v2/repository/models/M/unload``."""
        self._model.check_change(request.path_params["name"], self._options)
        await self._read(request)
        await self._model.versions.unload()
        return json_response({"name": self._model.name, "unload": True}).to_starlette()

    async def index(self, request: Request) -> Response:
        """``POST /v2/repository/index``."""
        await self._read(request)
        versions = self._model.versions
        version = versions.current.version if versions.loaded else ""
        state = "READY" if versions.alive else "UNAVAILABLE"
        entry = {"name": self._model.name, "version": version, "state": state, "reason": ""}
        return json_response([entry]).to_starlette()

    async def _read(self, request: Request) -> dict[str, Any]:
        """Reads the body, a JSON object or nothing."""
        body = RequestBody(self._budget, _MAX_BODY_BYTES)
        try:
            await read_body(request, body)
            fields = parse_json(body.join() or b"{}")
        finally:
            body.release()
        if not isinstance(fields, dict):
            raise malformed("the body is not an object")
        return fields


def add_repository_routes(app: FastAPI, endpoints: RepositoryEndpoints) -> None:
    """Adds the endpoints; must be called before kserve adds its own, which know nothing of versions."""
    router = APIRouter(tags=["Versions"])
    for path in ("/v2/models/{name}/ready", "/v2/models/{name}/versions/{version}/ready"):
        router.add_api_route(path, endpoints.ready, methods=["GET"])
    router.add_api_route("/v2/repository/index", endpoints.index, methods=["POST"])
    load = "/v2/repository/models/{name}/load"
    router.add_api_route(load, endpoints.load, methods=["POST"], openapi_extra=openapi.LOAD)
    router.add_api_route("/v2/repository/models/{name}/unload", endpoints.unload, methods=["POST"])
    app.include_router(router)


def _parse_bundle_name(fields: dict[str, Any]) -> str:
    parameters = fields.get("parameters", {})
    if not isinstance(parameters, dict) or parameters.keys() - {"bundle"}:
        raise malformed('parameters is not {"bundle": "..."}')
    name = parameters.get("bundle", "")
    if not isinstance(name, str):
        raise malformed("parameters.bundle is not a string")
    return name
