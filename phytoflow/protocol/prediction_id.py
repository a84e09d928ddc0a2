"""Ids of logged predictions; the gateway gives them, or the predictor for its own callers."""

from __future__ import annotations

import secrets
import threading
import time
import uuid

_RANDOM_BITS = 74
_STEP_BITS = 32  # an id cannot be guessed from the one before

_guard = threading.Lock()
_last = (-1, 0)


def new_id(milliseconds: int | None = None) -> str:
    """A time-ordered id (UUID version 7, RFC 9562), 32 hexadecimal characters.

    Ids of the same millisecond that follow one another in a process are in order, too (method 2 of section
    6.2): the photos of one request stay in theirs.

    Args:
        milliseconds: Time since 1970; None: now.
    """
    global _last
    with _guard:
        milliseconds = int(time.time() * 1000) if milliseconds is None else milliseconds
        if milliseconds == _last[0]:
            random = _last[1] + 1 + secrets.randbits(_STEP_BITS)
        else:
            random = secrets.randbits(_RANDOM_BITS - 1)  # the highest bit is left for the steps
        _last = (milliseconds, random)
    high, low = random >> 62, random & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low).hex
