"""Parts of the OpenAPI document that routes do not tell: streamed bodies, and the errors of every route."""

from __future__ import annotations

from typing import Any

from serving.gateway.answers.schemas import ProblemDocument
from serving.gateway.problems import MEDIA_TYPE

_FILE = {"type": "string", "format": "binary"}
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
        for status in sorted({401, 403, 503, *statuses})
    }


def photo_body(*, several: bool, webhook: bool = False) -> dict[str, Any]:
    """The request body of a route that takes photos."""
    more = {"webhook": {"type": "string", "format": "uri"}} if webhook else {}
    form: dict[str, Any] = {"files": {"type": "array", "items": _FILE}} if several else {"file": _FILE}
    document: dict[str, Any] = (
        {"images": {"type": "array", "items": {"type": "string"}, "description": "Photos as base64."}}
        if several
        else {"image": {"type": "string", "description": "Photo as base64."}, "name": {"type": "string"}}
    )
    content = {
        "multipart/form-data": _object(form, _OPTIONS | more),
        "application/json": _object(document, _OPTIONS | more),
    }
    if not several:
        content |= {kind: {"schema": _FILE} for kind in ("image/*", "application/octet-stream")}
    body = {"required": True, "content": content}
    return {"requestBody": body, "parameters": OPTION_PARAMETERS}


def _object(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    properties = required | optional
    first = next(iter(required))
    return {"schema": {"type": "object", "properties": properties, "required": [first]}}
