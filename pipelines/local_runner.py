"""Runs the pipeline on this machine with KFP's local runner: every step a process, no cluster."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import warnings
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from kfp import local

from phytoflow.outer_packages import environment_for
from phytoflow.steps import STEPS
from phytoflow.steps.context import FAILURE_VARIABLE, WORK_VARIABLE
from phytoflow.steps.train import clear_checkpoints
from phytoflow.storage.disk_errors import explain_disk_errors
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.system.interrupts import InterruptError, signals_as_interrupts
from phytoflow.system.progress import EVENTS_VARIABLE, ProgressEvent, Throttle
from pipelines.compile_options import CompileOptions
from pipelines.display import Display, open_display, step_title
from pipelines.failures import RunInterruptedError, explain_failure
from pipelines.kfp_hooks import kfp_hooks, step_name
from pipelines.run_log import open_log
from pipelines.step_process import StepProcess
from pipelines.training import NAME, build

_STEP_LINE = re.compile(r"\[[a-z]+\] (?!failed: )")
"""What a step logs; why it failed is said at the end of the run."""
_TICK_SECONDS = 0.5
_TAIL_LINES = 200
"""Of a step's output, kept to explain why it failed."""
_LOG_SECONDS = 5.0
"""Between two lines of progress in the log."""
_STEP_ENVIRONMENT = {
    EVENTS_VARIABLE: "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
    "PYTHONIOENCODING": "utf-8:backslashreplace",  # names of files may be no UTF-8
    "PYTHONSAFEPATH": "1",  # nothing is imported from the folder that the run was started in
}


def run_here(output: Path, parameters: Mapping[str, object], display: Display | None = None) -> None:
    """Runs the whole pipeline; steps finished before, on the same inputs, are taken from the cache.

    Args:
        output: The run's folder; steps work in ``output/steps``, ``output/run.log`` is the log.
        parameters: The pipeline's parameters.
        display: Shows the run; None: on standard output.

    Raises:
        StepFailedError: A step failed; its own words.
        RunInterruptedError: A signal ended the run; the same call resumes.
        FolderInUseError: Another run works in the folder.
        StorageError: The folder cannot be written.
    """
    display = display or open_display(sys.stdout)
    with exclusive_folder(output) as lock, open_log(output / "run.log") as log, display:
        run = _Run(output, lock, log, display)
        try:
            with signals_as_interrupts(), explain_disk_errors(output / "steps"), _redirect_kfp(log):
                run.start(parameters)
        except InterruptError as error:
            raise RunInterruptedError(step_title(run.step), error.number) from error


class _Run:
    """One run of the pipeline: runs its steps, logs and shows them, and remembers what failed.

    Attributes:
        step: The step that runs, or ran last.
    """

    def __init__(self, output: Path, lock: int, log: TextIO, display: Display) -> None:
        self.step = ""
        self._output, self._lock, self._log, self._display = output, lock, log, display
        self._failure_file = output / "failure.json"
        self._failed: tuple[str, int, list[str]] | None = None

    def start(self, parameters: Mapping[str, object]) -> None:
        """Runs every step that is not in the cache."""
        self._failure_file.unlink(missing_ok=True)
        root = self._output / "steps"
        _remove_stale_folders(root, keep=0)
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
        try:
            with kfp_hooks(self._run_step, self._skip, self._stored):
                build(CompileOptions(retries=False))(**parameters)
        except RuntimeError as error:
            if self._failed is None:
                raise
            raise explain_failure(self._failure_file, *self._failed, self._output / "run.log") from error
        _remove_stale_folders(root, keep=1)

    def _run_step(self, command: Sequence[str], variables: Mapping[str, str] | None) -> int:
        """Runs one step's process; returns its exit code."""
        self.step = step_name(command)
        environment = {**environment_for("pipelines"), **_STEP_ENVIRONMENT, **(variables or {})}
        environment |= {FAILURE_VARIABLE: str(self._failure_file), WORK_VARIABLE: str(self._output)}
        with self._shown():
            tail: deque[str] = deque(maxlen=_TAIL_LINES)
            code = self._follow(StepProcess(command, environment, keep_open=[self._lock]), tail)
            if code and self._failed is None:
                self._failed = self.step, code, list(tail)
        return code

    @contextlib.contextmanager
    def _shown(self) -> Iterator[None]:
        """Shows that the step begins and ends, if it is one of those that are counted."""
        if self.step not in STEPS:
            yield
            return
        self._display.begin(self.step)
        yield
        self._display.end(done=self._failed is None)

    def _follow(self, process: StepProcess, tail: deque[str]) -> int:
        """Logs and shows what a step says until it ends; returns its exit code."""
        due = Throttle(_LOG_SECONDS)
        try:
            for line in process.lines(_TICK_SECONDS):
                if line is None:
                    self._display.tick()
                elif event := ProgressEvent.from_line(line):
                    self._display.progress(event)
                    if due.due():
                        self._log.write(f"[{self.step}] {event.to_text()}\n")
                else:
                    tail.append(line)
                    self._log.write(f"{line}\n")
                    if _STEP_LINE.match(line):
                        self._display.say(line)
            return process.wait()
        except BaseException:  # Ctrl-C above all
            self._log.writelines(f"{line}\n" for line in process.end())
            raise

    def _skip(self, step: str) -> None:
        self._display.skip(step)
        self._stored(step)

    def _stored(self, step: str) -> None:
        if step == "train":
            clear_checkpoints(str(self._output))


@contextlib.contextmanager
def _redirect_kfp(log: TextIO) -> Iterator[None]:
    """Sends what KFP prints in this process to the log: the display says the same in fewer words."""
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _remove_stale_folders(root: Path, keep: int) -> None:
    """Removes what interrupted and superseded runs left: folders that no cache entry points into.

    Args:
        root: Folder of all steps.
        keep: How many of the newest folders stay in any case.
    """
    entries = "".join(entry.read_text() for entry in (root / ".kfp_cache").glob("*.json"))
    folders = sorted(root.glob(f"{NAME}-*"))
    for folder in folders[: len(folders) - keep]:
        if folder.name not in entries:
            shutil.rmtree(folder, ignore_errors=True)
