"""A lifeline: a process that holds one ends when its parent does, however the parent ends.

The parent keeps the write end of a pipe. When the parent closes it, or dies of any signal, the child reads
the end of the pipe. Unlike Linux's parent-death signal (prctl) this reaches through a shell between the two,
does not depend on the thread that started the child, and lets the child clean up first.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType
from typing import NoReturn

VARIABLE = "PHYTOFLOW_LIFELINE"
"""Environment variable with the file descriptor of the read end."""
TERMINATED = 128 + signal.SIGTERM
"""Exit code of a process that SIGTERM ended in order."""
GRACE_SECONDS = 8.0
"""For cleaning up, before the whole process group is killed."""
_held: list[str] = []
"""The lifeline of this process, if it has one: then its process group is its own."""


class Lifeline:
    """The parent's side.

    Attributes:
        child_end: File descriptor that the child inherits; closed here once the child runs.
    """

    def __init__(self) -> None:
        self.child_end, self._own_end = os.pipe()

    def environment(self) -> dict[str, str]:
        """Returns the variable that tells the child."""
        return {VARIABLE: str(self.child_end)}

    def started(self) -> None:
        """Closes the child's end here: now only the child has it."""
        os.close(self.child_end)

    def cut(self) -> None:
        """Ends the child; does nothing the second time."""
        if self._own_end >= 0:
            os.close(self._own_end)
            self._own_end = -1


class TerminatedError(SystemExit):
    """SIGTERM asked this process to end; the exit code is the usual 143."""

    def __init__(self) -> None:
        super().__init__(TERMINATED)


def hold_lifeline() -> None:
    """Ends this process, and then its process group, once the lifeline is cut; without one it does nothing.

    From here on SIGTERM raises TerminatedError in the main thread, so that blocks that clean up do so.
    """
    signal.signal(signal.SIGTERM, _terminate)
    if descriptor := os.environ.pop(VARIABLE, ""):
        _held.append(descriptor)
        threading.Thread(target=_watch, args=(int(descriptor),), daemon=True, name="lifeline").start()


def watch_parent(seconds: float = 1.0) -> None:
    """Ends this process once its parent is gone, for a parent that hands no lifeline on.

    Args:
        seconds: Between two looks.
    """
    arguments = (os.getppid(), seconds)
    threading.Thread(target=_watch_parent, args=arguments, daemon=True, name="parent").start()


def leave() -> NoReturn:
    """Ends this process at once: for the end of a TerminatedError, when all blocks have cleaned up.

    With a lifeline, everything that this process started ends too. Taking torch apart would take seconds.
    """
    sys.stdout.flush()
    if _held:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(TERMINATED)


def _watch_parent(parent: int, seconds: float) -> None:
    while os.getppid() == parent:
        time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os._exit(TERMINATED)


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1):  # nobody writes: this returns when the other end is closed
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _terminate(_: int, __: FrameType | None) -> None:
    raise TerminatedError
