"""One progress bar for everything that takes long; silent lines where there is no terminal."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES = 10.0


def track(items: Iterable[_T], description: str, total: int | None = None) -> Iterator[_T]:
    """Yields the items, showing how far along they are.

    On a terminal this is a bar; elsewhere (a container's log) a line every ten seconds.

    Args:
        items: What is gone through.
        description: What is being done, e.g. ``"Reading photos"``.
        total: How many items there are, if ``items`` has no length.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        yield from rich_track(items, description, total=total, console=console, transient=True)
    else:
        yield from _log_progress(items, description, total)


def _log_progress(items: Iterable[_T], description: str, total: int | None) -> Iterator[_T]:
    total = total if total is not None else _length(items)
    last = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - last > _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            _LOG.info("%s: %d of %s", description, count, total if total is not None else "?")


def _length(items: Iterable[object]) -> int | None:
    try:
        return len(items)  # type: ignore[arg-type]
    except TypeError:
        return None
