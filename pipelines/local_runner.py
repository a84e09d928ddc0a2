"""Runs the pipeline on this machine with KFP's local runner: every step a process, no cluster."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import re
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from kfp import local

from phytoflow.errors import PhytoflowError
from phytoflow.steps.context import FAILURE_VARIABLE
from pipelines.compile_options import CompileOptions
from pipelines.training import NAME, build

_STEP_LINE = re.compile(r"^\s*(\[[a-z]+\] .*)$")
_TASK_LINE = re.compile(r"(Executing task|cached)")


class StepFailedError(PhytoflowError):
    """A step ended a run; carries the step's own message, remedy and exit code."""

    def __init__(self, step: str, message: str, remedy: str, exit_code: int) -> None:
        super().__init__(f"{step}: {message}", remedy=remedy)
        self.exit_code = exit_code


def run_here(output: Path, parameters: dict[str, object]) -> None:
    """Runs the whole pipeline; steps finished before, on the same inputs, are taken from the cache.

    Args:
        output: The run's folder; steps work in ``output/steps``, everything said goes to ``output/run.log``.
        parameters: The pipeline's parameters.

    Raises:
        StepFailedError: A step failed; its own words.
    """
    output.mkdir(parents=True, exist_ok=True)
    failure = output / "failure.json"
    failure.unlink(missing_ok=True)
    root = output / "steps"
    with _told(output / "run.log"), _environment(failure):
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
        try:
            build(CompileOptions(retries=False))(**parameters)
        except RuntimeError as error:
            raise _explain(failure, output / "run.log") from error
    _forget_old(root)


def _explain(failure: Path, log: Path) -> StepFailedError:
    if failure.exists():
        word = json.loads(failure.read_text())
        return StepFailedError(word["step"], word["message"], word["remedy"], word["exit_code"])
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line.strip() for line in lines if re.search(r"(Error|Exception|Killed)\b", line)]
    what = errors[-1] if errors else "a step ended without a word (was it killed? out of memory?)"
    return StepFailedError("a step", what, f"see {log}; the same command resumes", 1)


class _Tee(io.TextIOBase):
    """Writes everything to the log, and to the terminal only what steps say of their work."""

    def __init__(self, terminal: TextIO, log: TextIO) -> None:
        self._terminal, self._log, self._rest = terminal, log, ""

    def write(self, text: str) -> int:
        self._log.write(text)
        self._log.flush()
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if said := _STEP_LINE.match(line):
                self._terminal.write(said[1] + "\n")
                self._terminal.flush()
        return len(text)

    def flush(self) -> None:
        self._log.flush()

    def isatty(self) -> bool:
        return False


@contextlib.contextmanager
def _told(log: Path) -> Iterator[None]:
    with log.open("a", encoding="utf-8", errors="replace") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tee = _Tee(sys.stdout, file)
        with contextlib.redirect_stdout(tee), contextlib.redirect_stderr(tee):
            yield


@contextlib.contextmanager
def _environment(failure: Path) -> Iterator[None]:
    """Steps inherit it: where to leave word of a failure, and unbuffered output."""
    before = dict(os.environ)
    os.environ |= {FAILURE_VARIABLE: str(failure), "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _forget_old(root: Path) -> None:
    """Removes what earlier, interrupted or superseded runs left: folders no cache entry points into."""
    kept = "".join(entry.read_text() for entry in (root / ".kfp_cache").glob("*.json"))
    folders = sorted(root.glob(f"{NAME}-*"))
    for folder in folders[:-1]:
        if folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
            logging.getLogger(__name__).debug("removed %s", folder)
