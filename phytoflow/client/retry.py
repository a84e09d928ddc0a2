"""Exponential backoff: overload and lost connections pass, every other failure is final."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

RETRIED_STATUSES = (502, 503, 504)
_FIRST_SECONDS = 0.1
_MAX_SECONDS = 5.0  # also of Retry-After: a client that waits longer looks as if it hung


def delays(retries: int) -> Iterator[float]:
    """Seconds before each retry: doubling, with jitter so that clients do not all return at once."""
    for attempt in range(retries):
        yield random.uniform(0.5, 1.0) * min(_MAX_SECONDS, _FIRST_SECONDS * 2**attempt)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that a response's Retry-After demands, at most five; 0 without one."""
    value = headers.get("Retry-After", "")
    return min(_MAX_SECONDS, float(value)) if value.isdecimal() else 0.0
