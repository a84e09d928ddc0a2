"""Items in batches: ``itertools.batched``, which Python has from 3.12 on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")


def batched(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yields lists of ``size`` items; the last one may be shorter.

    Args:
        items: Taken as needed: a batch is complete before the next item is asked for.
        size: At least 1.
    """
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch
