"""One step as a process group that never outlives the run that started it."""

from __future__ import annotations

import codecs
import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

from phytoflow.system.lifeline import GRACE_SECONDS, Lifeline

_READ_BYTES = 65536
_POLL_SECONDS = 0.05


class StepProcess:
    """A running step: its output by lines, and its end.

    Args:
        command: Program and arguments; they may start further processes.
        environment: Environment variables.
        keep_open: File descriptors that it inherits.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], keep_open: Sequence[int] = ()
    ) -> None:
        self._lifeline = Lifeline()
        try:
            self._process = subprocess.Popen(
                command,
                env={**environment, **self._lifeline.environment()},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the run alone, which then ends its step
                pass_fds=(self._lifeline.child_end, *keep_open),
            )
        finally:
            self._lifeline.started()

    def lines(self, tick_seconds: float) -> Iterator[str | None]:
        """Yields its output line by line, and None when there was none for a while; ends when it does."""
        assert self._process.stdout is not None
        decoder, rest = codecs.getincrementaldecoder("utf-8")("replace"), ""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while True:
                if not selector.select(tick_seconds):
                    yield None
                    if self._process.poll() is not None:  # a process that it left holds the pipe open
                        break
                    continue
                content = os.read(self._process.stdout.fileno(), _READ_BYTES)
                *lines, rest = (rest + decoder.decode(content, final=not content)).split("\n")
                yield from lines
                if not content:
                    break
        if rest:
            yield rest

    def wait(self) -> int:
        """Waits for its end; returns its exit code, negative if a signal killed it."""
        code = self._process.wait()
        self._kill_group()  # what it left behind, such as workers of a step that was killed
        self._lifeline.cut()
        return -(code - 128) if code > 128 else code  # the shell around it reports signal N as 128 + N

    def end(self) -> Iterator[str]:
        """Ends it and whatever it started, in order if that is done in time; yields its last words."""
        self._lifeline.cut()
        deadline = time.monotonic() + GRACE_SECONDS
        try:
            for line in self.lines(_POLL_SECONDS):
                if line is not None:
                    yield line
                elif time.monotonic() > deadline:
                    break
        finally:  # a second Ctrl-C does not wait
            self._kill_group()
            self._process.wait()

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
