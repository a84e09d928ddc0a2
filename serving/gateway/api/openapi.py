"""Parts of the OpenAPI document that routes do not tell: streamed bodies, and the errors of every route."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.gateway.answers.schemas import ProblemDocument
from serving.gateway.problems import MEDIA_TYPE

_FILE = {"type": "string", "format": "binary"}
_BASE64 = {
    "type": "string",
    "contentEncoding": "base64",
    "minLength": 4,
    "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}
_OPTIONS = {
    "top_k": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 3},
    "explain": {"type": "boolean", "default": False},
    "tta": {"type": "string", "enum": ["none", "flips", "crops"], "default": "none"},
}
OPTION_PARAMETERS: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in _OPTIONS.items()
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Responses of a route that are problem documents; those that every route may give are added."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {
        status: {"description": "Problem", "content": content, "model": ProblemDocument}
        for status in sorted({400, 401, 403, 503, *statuses})
    }


def photo_body(*, several: bool, webhook: bool = False) -> dict[str, Any]:
    """The request body of a route that takes photos."""
    more = {"webhook": {"type": "string", "format": "uri"}} if webhook else {}
    some = {"type": "array", "minItems": 1, "maxItems": 16}
    form: dict[str, Any] = {"files": some | {"items": _FILE}} if several else {"file": _FILE}
    document: dict[str, Any] = (
        {"images": some | {"items": _BASE64, "description": "Photos as base64."}}
        if several
        else {"image": _BASE64 | {"description": "Photo as base64."}, "name": {"type": "string"}}
    )
    content = {
        "multipart/form-data": _object(form, _OPTIONS | more),
        "application/json": _object(document, _OPTIONS | more),
    }
    if not several:
        content |= {kind: {"schema": _FILE} for kind in ("image/*", "application/octet-stream")}
    body = {"required": True, "content": content}
    return {"requestBody": body, "parameters": OPTION_PARAMETERS}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, without FastAPI's own errors: malformed requests get problem documents."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        for path in document["paths"].values():
            for operation in path.values():
                if "HTTPValidationError" in str(operation["responses"].get("422")):
                    del operation["responses"]["422"]
        for name in ("HTTPValidationError", "ValidationError"):
            document["components"]["schemas"].pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    properties = required | optional
    first = next(iter(required))
    schema = {"type": "object", "properties": properties, "required": [first], "additionalProperties": False}
    return {"schema": schema}
