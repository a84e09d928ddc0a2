"""Progress of long work: a bar on a terminal, a line every few seconds elsewhere, or events for a parent.

A pipeline step runs as a process of its own. Where its parent sets ``PHYTOFLOW_PROGRESS_EVENTS``, the step
prints events, one line each, and the parent shows them.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.progress import Progress as Bars

_T = TypeVar("_T")
_LOG = logging.getLogger(__name__)
EVENTS_VARIABLE = "PHYTOFLOW_PROGRESS_EVENTS"
_EVENT_PREFIX = "::progress "
_EVENT_SECONDS = 0.3
"""Between two events; work that ends before the first shows none."""
_LINE_SECONDS = 5.0
"""Between two lines where there is no terminal."""


@dataclass(frozen=True)
class ProgressEvent:
    """How far a piece of work is.

    Attributes:
        description: What is being done, e.g. ``"Reading photos"``.
        done: Items done.
        total: All items; None if that is not known.
        seconds: Since the work began.
    """

    description: str
    done: int
    total: int | None
    seconds: float

    def to_line(self) -> str:
        """Returns the event as one line."""
        return _EVENT_PREFIX + json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> ProgressEvent | None:
        """Reads what ``to_line`` wrote; None if the line is something else."""
        if not line.startswith(_EVENT_PREFIX):
            return None
        try:
            return cls(**json.loads(line.removeprefix(_EVENT_PREFIX)))
        except (ValueError, TypeError):
            return None

    def to_text(self) -> str:
        """Returns the event for a person, e.g. ``"Reading photos: 120 of 340, 12 s left"``."""
        if not self.total:
            return f"{self.description}: {self.done}"
        text = f"{self.description}: {self.done} of {self.total}"
        if not 0 < self.done < self.total:
            return text
        return f"{text}, {duration(self.seconds * (self.total - self.done) / self.done)} left"


class Throttle:
    """Says whether something is due: once each so many seconds, not before the first have passed."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds, self._clock, self._last = seconds, clock, clock()

    def due(self) -> bool:
        """Whether the time has passed; then it begins anew."""
        if (now := self._clock()) - self._last < self._seconds:
            return False
        self._last = now
        return True

    def restart(self) -> None:
        """Begins anew."""
        self._last = self._clock()


@dataclass
class Progress:
    """Counts finished items and reports the count.

    Attributes:
        description: What is being done.
        total: All items; None if that is not known.
        done: Items done so far.
    """

    description: str
    total: int | None
    show: Callable[[ProgressEvent], None]
    done: int = 0
    _started: float = field(default_factory=time.monotonic)

    def advance(self, count: int = 1) -> None:
        """Counts some more items as done."""
        self.done += count
        seconds = time.monotonic() - self._started
        self.show(ProgressEvent(self.description, self.done, self.total, seconds))


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Progress]:
    """Shows how far a block of work is; call ``advance`` on what it gives.

    Args:
        description: What is being done, e.g. ``"Training the head"``.
        total: How many items there are, if that is known.
    """
    if os.environ.get(EVENTS_VARIABLE):
        yield Progress(description, total, _printer(_EVENT_SECONDS, _print_event))
    elif (console := Console(stderr=True)).is_terminal:
        with Bars(console=console, transient=True) as bars:
            task = bars.add_task(description, total=total)
            yield Progress(description, total, lambda event: bars.update(task, completed=event.done))
    else:
        yield Progress(description, total, _printer(_LINE_SECONDS, lambda event: _LOG.info(event.to_text())))


def track(items: Iterable[_T], description: str, total: int | None = None) -> Iterator[_T]:
    """Yields the items, showing how far along they are.

    Args:
        items: What is gone through.
        description: What is being done, e.g. ``"Reading photos"``.
        total: How many items there are, if ``items`` has no length.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with progress(description, total) as counter:
        for item in items:
            yield item
            counter.advance()


def duration(seconds: float) -> str:
    """A length of time for a person: ``"8 s"``, ``"3 min 20 s"``, ``"2 h 05 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _printer(seconds: float, write: Callable[[ProgressEvent], None]) -> Callable[[ProgressEvent], None]:
    throttle = Throttle(seconds)

    def show(event: ProgressEvent) -> None:
        if throttle.due():
            write(event)

    return show


def _print_event(event: ProgressEvent) -> None:
    print(event.to_line(), file=sys.stdout, flush=True)
