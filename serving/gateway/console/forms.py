"""Small forms without files."""

from __future__ import annotations

from urllib.parse import parse_qsl

from fastapi import Request

from serving.gateway.api.photos import read_body
from serving.gateway.log.text import printable
from serving.gateway.problems import ProblemError

_MAX_BYTES, _MAX_FIELDS = 16 * 2**10, 32


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a URL-encoded form of at most 16 KiB; raises ProblemError."""
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise ProblemError(415, "unsupported_media_type", "this form is sent in another way")
    body = await read_body(request, _MAX_BYTES)
    try:
        fields = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise ProblemError(400, "malformed", f"this form has more than {_MAX_FIELDS} fields") from error
    return {name: printable(value, _MAX_BYTES) for name, value in fields}
