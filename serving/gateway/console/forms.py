"""Small forms without files."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from serving.gateway.api.photos import read_body
from serving.gateway.problems import ProblemError

_MAX_BYTES = 16 * 2**10


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form of at most 16 KiB; raises ProblemError."""
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise ProblemError(415, "unsupported_media_type", "this form is sent in another way")
    body = await read_body(request, _MAX_BYTES)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=32))
