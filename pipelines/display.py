"""What a person sees of a run: which step it is in, how far that is, and what it says."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any, Self, TextIO, cast

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table

from phytoflow.steps import STEPS
from phytoflow.system.progress import ProgressEvent, Throttle, duration

_LINE_SECONDS = 5.0
"""Between two lines about the same work, where there is no terminal."""
_BAR_WIDTH = 20
_SILENT_SECONDS = 15.0
"""After so long without a line, one says that the step still works."""


def step_title(step: str) -> str:
    """Returns which step of how many this is, e.g. ``"3/8 train"``."""
    return f"{STEPS.index(step) + 1}/{len(STEPS)} {step}" if step in STEPS else step


class Display:
    """Lines, for files, pipes and logs.

    Args:
        stream: Where to; if it is closed meanwhile the run goes on.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._step, self._began = "", 0.0
        self._due, self._silent = Throttle(_LINE_SECONDS), Throttle(_SILENT_SECONDS)

    def begin(self, step: str) -> None:
        """Shows that a step begins."""
        self._step, self._began = step, time.monotonic()
        self._write(step_title(step))

    def skip(self, step: str) -> None:
        """Shows that the outputs of a step are those of an earlier run."""
        self._write(f"{step_title(step)}: done by an earlier run")

    def say(self, text: str) -> None:
        """Shows a line that a step wrote."""
        self._write(text)

    def progress(self, event: ProgressEvent) -> None:
        """Shows how far the step's present work is."""
        if self._due.due():
            self._write(f"[{self._step}] {event.to_text()}")

    def tick(self) -> None:
        """Shows that a silent step still works; called every second or so."""
        if self._silent.due():
            self._write(f"[{self._step}] {duration(time.monotonic() - self._began)} so far")

    def end(self, *, done: bool) -> None:
        """Shows that the step ended."""
        seconds = duration(time.monotonic() - self._began)
        self._write(f"{step_title(self._step)}: {'done' if done else 'failed'} after {seconds}")

    def __enter__(self) -> Self:
        """Begins to show."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the terminal as it was."""

    def _write(self, text: str) -> None:
        self._silent.restart()
        self._print(text)

    def _print(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


class TerminalDisplay(Display):
    """Lines, and below them what the step does now: a bar and the time left, if it says how far it is."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._console = Console(file=stream, highlight=False, soft_wrap=True)
        self._live = Live(self, console=self._console, transient=True, refresh_per_second=4)
        self._spinner = Spinner("dots")
        self._event: ProgressEvent | None = None

    def begin(self, step: str) -> None:
        """Shows that a step begins."""
        self._step, self._began, self._event = step, time.monotonic(), None

    def progress(self, event: ProgressEvent) -> None:
        """Moves the bar."""
        self._event = event

    def tick(self) -> None:
        """Does nothing: the spinner shows that the step works."""

    def end(self, *, done: bool) -> None:
        """Shows that the step ended."""
        super().end(done=done)
        self._step = ""

    def __enter__(self) -> Self:
        """Begins to show."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves the terminal as it was."""
        self._live.stop()

    def __rich__(self) -> RenderableType:
        """The line at the bottom."""
        if not self._step:
            return ""
        row: list[RenderableType] = [self._spinner, step_title(self._step)]
        event = self._event
        if event and event.total:
            row += [ProgressBar(event.total, min(event.done, event.total), width=_BAR_WIDTH)]
        row += [event.to_text() if event else duration(time.monotonic() - self._began)]
        line = Table.grid(padding=(0, 1))
        line.add_row(*row)
        return line

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)


class _UnbreakableStream:
    """A stream whose reader may go, as with a closed terminal or ``| head``: then it writes to nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._surviving():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._surviving():
            self._stream.flush()

    @contextlib.contextmanager
    def _surviving(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def open_display(stream: TextIO) -> Display:
    """Returns a display with a bar for a terminal, with lines for anything else."""
    lasting = cast(TextIO, _UnbreakableStream(stream))
    return TerminalDisplay(lasting) if stream.isatty() else Display(lasting)
