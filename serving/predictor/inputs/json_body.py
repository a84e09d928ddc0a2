"""Parses JSON, and says what a body is that is not JSON."""

from __future__ import annotations

from typing import Any, Final

import orjson

from serving.predictor.errors import RequestError, malformed

_PHOTOS: Final = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"II*\x00", b"MM\x00*", b"BM")


def parse_json(body: bytes | memoryview) -> Any:
    """Parses a body; raises RequestError 400."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _not_json(bytes(body[:4]), error) from None


def _not_json(start: bytes, error: orjson.JSONDecodeError) -> RequestError:
    """Names the two bodies that clients of other services send: a form with a file, and the file itself."""
    kind = "a multipart form" if start.startswith(b"--") else ""
    if start.startswith(_PHOTOS):
        kind = "an encoded photo"
    if kind:
        form = 'send {"instances": [{"b64": "..."}]} to :predict, or V2\'s JSON or binary form to /infer'
        return malformed(f"the body is not JSON but {kind}; {form}")
    return malformed(f"the body is not JSON: {error.msg} at byte {error.pos}")
