"""Ids of logged predictions; the gateway gives them, or the predictor for its own callers."""

from __future__ import annotations

import os
import time
import uuid


def new_id(milliseconds: int | None = None) -> str:
    """A time-ordered id (UUID version 7, RFC 9562), 32 hexadecimal characters.

    Args:
        milliseconds: Time since 1970; None: now.
    """
    milliseconds = int(time.time() * 1000) if milliseconds is None else milliseconds
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value).hex
