"""``itertools.batched`` of Python 3.12, as lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yields the items in lists of ``size``; the last may be shorter. Takes items only as needed.

    Args:
        items: What is batched.
        size: Items a list, at least 1.
    """
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
