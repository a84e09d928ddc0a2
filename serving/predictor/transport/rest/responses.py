"""What is sent back over REST, whichever way a question came in."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from fastapi import Response
from kserve import InferResponse

from serving.predictor.errors import RequestError
from serving.predictor.observability.metrics import count_error
from serving.predictor.transport.rest.v2_request import BINARY_HEADER

_JSON, _BYTES = "application/json", "application/octet-stream"


class Reply(NamedTuple):
    """A whole answer.

    Attributes:
        content: The body.
        status: HTTP status.
        media_type: Of the body.
        headers: Further ones.
    """

    content: bytes
    status: int = 200
    media_type: str = _JSON
    headers: tuple[tuple[str, str], ...] = ()

    def response(self) -> Response:
        """The same for Starlette."""
        return Response(self.content, self.status, dict(self.headers), self.media_type)


def json(content: Any, status: int = 200) -> Reply:
    """JSON of anything orjson writes."""
    return Reply(orjson.dumps(content), status)


def infer(answer: InferResponse | dict[str, Any]) -> Reply:
    """The V2 answer: all of it JSON, or some outputs as bytes behind it."""
    if isinstance(answer, dict):
        return json(answer)
    content, json_length = answer.to_rest()  # some outputs go as bytes; all as JSON came as a dict
    return Reply(content, 200, _BYTES, ((BINARY_HEADER, str(json_length)),))


def refusal(error: RequestError) -> Reply:
    """Why there is no answer; counted here, as each refusal is sent once."""
    count_error(error)
    content = orjson.dumps({"error": error.message, "reason": error.reason})
    return Reply(content, error.status, _JSON, (("retry-after", "1"),) if error.status == 503 else ())
