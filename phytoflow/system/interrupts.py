"""SIGTERM and SIGHUP end a command as Ctrl-C does: in order, with a word."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class InterruptError(KeyboardInterrupt):
    """A signal asked this process to end.

    Attributes:
        number: Of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Raises InterruptError in the main thread for SIGINT, SIGTERM and SIGHUP, unless a signal is ignored.

    ``nohup`` ignores SIGHUP: then a closed terminal does not end the run.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, _interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, _: FrameType | None) -> None:
    raise InterruptError(number)
