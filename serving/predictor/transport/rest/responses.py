"""HTTP responses, the same on the fast path and through FastAPI."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from fastapi import Response
from kserve import InferResponse

from serving.predictor.errors import RequestError
from serving.predictor.observability.metrics import count_error
from serving.predictor.transport.rest.content_encoding import SUPPORTED
from serving.predictor.transport.rest.v2_request import BINARY_HEADER

_JSON, _BYTES = "application/json", "application/octet-stream"
_ERROR_HEADERS = {503: (("retry-after", "1"),), 415: (("accept-encoding", SUPPORTED),)}


class HttpResponse(NamedTuple):
    """A complete response.

    Attributes:
        content: Body.
        status: HTTP status.
        media_type: Media type of the body.
        headers: Further headers.
    """

    content: bytes
    status: int = 200
    media_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()

    def to_starlette(self) -> Response:
        """Returns the same as a Starlette response."""
        return Response(self.content, self.status, dict(self.headers), self.media_type)


def json_response(content: Any, status: int = 200) -> HttpResponse:
    """Encodes anything that orjson can encode."""
    return HttpResponse(orjson.dumps(content), status)


def infer_response(response: InferResponse | dict[str, Any]) -> HttpResponse:
    """Encodes a V2 response: JSON, or JSON followed by binary outputs."""
    if isinstance(response, dict):
        return json_response(response)
    content, json_length = response.to_rest()  # has binary outputs: otherwise it would be a dict
    return HttpResponse(content, 200, _BYTES, ((BINARY_HEADER, str(json_length)),))


def error_response(error: RequestError) -> HttpResponse:
    """Encodes an error and counts it; each error is sent once."""
    count_error(error)
    content = orjson.dumps({"error": error.message, "reason": error.reason})
    return HttpResponse(content, error.status, _JSON, _ERROR_HEADERS.get(error.status, ()))
