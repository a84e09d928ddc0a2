"""When to ask again: overload and lost connections pass, everything else does not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

RETRIED = (502, 503, 504)
_FIRST_SECONDS = 0.1
_MOST_SECONDS = 5.0


def delays(retries: int) -> Iterator[float]:
    """Seconds to wait before each further try: doubling, jittered so that clients do not return at once."""
    for attempt in range(retries):
        yield random.uniform(0.5, 1.0) * min(_MOST_SECONDS, _FIRST_SECONDS * 2**attempt)


def at_least(delay: float, headers: Mapping[str, str]) -> float:
    """The delay, or what the server asks for in Retry-After if that is longer (bounded)."""
    asked = headers.get("Retry-After", "")
    return min(_MOST_SECONDS, max(delay, float(asked))) if asked.isdigit() else delay
