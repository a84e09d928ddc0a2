"""Why a run ended early, in words and as an exit code."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from phytoflow.errors import PhytoflowError, StorageError
from phytoflow.provenance import command_line

_ERROR_LINE = re.compile(r"^\s*[\w.]*(Error|Exception|Interrupt|Exit)\b.*")
_DISK_LINE = re.compile(r"No space left on device|Disk quota exceeded|Read-only file system", re.IGNORECASE)


class StepFailedError(PhytoflowError):
    """A step ended a run; carries the step's own message, remedy and exit code."""

    def __init__(self, step: str, message: str, remedy: str, exit_code: int) -> None:
        super().__init__(f"{step}: {message}", remedy=remedy)
        self.exit_code = exit_code


class RunInterruptedError(PhytoflowError):
    """A signal ended a run."""

    def __init__(self, step: str, number: int) -> None:
        where = f" in {step}" if step else ""
        remedy = f"the same command resumes: {command_line()}"
        super().__init__(f"interrupted{where} ({signal.Signals(number).name})", remedy=remedy)
        self.exit_code = 128 + number


def explain_failure(file: Path, step: str, code: int, tail: Sequence[str], log: Path) -> StepFailedError:
    """Explains why a step failed.

    Args:
        file: The step's own error, if it could write it.
        step: Its name.
        code: Its exit code; negative: the signal that killed it.
        tail: The end of its output.
        log: The run's log.
    """
    if own := _own_words(file, step, code, tail):
        return own
    look = f"see {log}; the same command resumes"
    if disk := _last(_DISK_LINE, tail):
        remedy = f"free some space, or give another --output; {look}"
        return StepFailedError(step, disk, remedy, StorageError.exit_code)
    if code == -signal.SIGKILL:
        what = "it was killed: most likely this machine has too little free memory"
        return StepFailedError(step, what, f"close other programs, or set preset=low-memory; {look}", 1)
    if code < 0:
        return StepFailedError(step, f"{signal.Signals(-code).name} ended it", look, 1)
    return StepFailedError(step, _last(_ERROR_LINE, tail) or f"it ended with exit code {code}", look, 1)


def _own_words(file: Path, step: str, code: int, tail: Sequence[str]) -> StepFailedError | None:
    """The step's own error: from its file or, if that could not be written, from its log."""
    try:
        own = json.loads(file.read_text())
        return StepFailedError(own["step"], own["message"], own["remedy"], own["exit_code"])
    except (OSError, ValueError):
        line = re.search(r"\[\w+\] failed: (.*?)(?:\n  What to do: (.*))?$", "\n".join(tail), re.MULTILINE)
        return StepFailedError(step, line[1], line[2] or "", code) if line else None


def _last(pattern: re.Pattern[str], lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if pattern.search(line)), "")
