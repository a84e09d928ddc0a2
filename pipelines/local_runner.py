"""Runs the pipeline on this machine with KFP's local runner: every step a process, no cluster."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from kfp import local
from kfp.local import cache, subprocess_task_handler

from phytoflow.outer_packages import environment_for
from phytoflow.steps import STEPS
from phytoflow.steps.context import FAILURE_VARIABLE
from phytoflow.steps.train import clear_checkpoints
from phytoflow.storage.disk_errors import explain_disk_errors
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.system.interrupts import InterruptError, signals_as_interrupts
from phytoflow.system.progress import EVENTS_VARIABLE, ProgressEvent, Throttle
from pipelines.compile_options import CompileOptions
from pipelines.display import Display, open_display, step_title
from pipelines.failures import RunInterruptedError, explain_failure
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
        output: The run's folder; steps work in ``output/steps``, everything said goes to ``output/run.log``.
        parameters: The pipeline's parameters.
        display: Shows the run; None: on standard output.

    Raises:
        StepFailedError: A step failed; its own words.
        RunInterruptedError: A signal ended the run; the same call resumes.
        FolderInUseError: Another run works in the folder.
        StorageError: The folder cannot be written.
    """
    display = display or open_display(sys.stdout)
    with exclusive_folder(output) as lock, _open_log(output / "run.log") as log, display:
        run = _Run(output, lock, log, display)
        try:
            with signals_as_interrupts(), explain_disk_errors(output / "steps"), run.hooks():
                run.start(parameters)
        except InterruptError as error:
            raise RunInterruptedError(step_title(run.step), error.number) from error


class _Run:
    """What KFP's local runner is told to do otherwise: how steps run, what is shown and kept.

    Attributes:
        step: The step that runs, or ran last.
    """

    def __init__(self, output: Path, lock: int, log: TextIO, display: Display) -> None:
        self.step = ""
        self._output, self._lock, self._log, self._display = output, lock, log, display
        self._failure = output / "failure.json"
        self._failed: tuple[str, int, list[str]] | None = None

    def start(self, parameters: Mapping[str, object]) -> None:
        """Runs every step."""
        self._failure.unlink(missing_ok=True)
        root = self._output / "steps"
        _remove_stale_folders(root, keep=0)
        local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(root), enable_caching=True)
        try:
            build(CompileOptions(retries=False))(**parameters)
        except RuntimeError as error:
            if self._failed is None:
                raise
            raise explain_failure(self._failure, *self._failed, self._output / "run.log") from error
        _remove_stale_folders(root, keep=1)

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        """Puts this run in the place of parts of KFP's local runner (its version is pinned)."""
        with (
            _replaced(subprocess_task_handler, "run_local_subprocess", self._run_step),
            _replaced(cache, "LocalCache", self._observed_cache()),
            contextlib.redirect_stdout(self._log),
            contextlib.redirect_stderr(self._log),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            cache.reset_local_cache_singleton()
            try:
                yield
            finally:
                cache.reset_local_cache_singleton()

    def _run_step(self, full_command: Sequence[str], env_vars: Mapping[str, str] | None = None) -> int:
        """Runs one step's process; returns its exit code."""
        self.step = full_command[full_command.index("--function_to_execute") + 1]
        environment = {**environment_for("pipelines"), **_STEP_ENVIRONMENT, **(env_vars or {})}
        environment[FAILURE_VARIABLE] = str(self._failure)
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        counted = self.step in STEPS
        if counted:
            self._display.begin(self.step)
        process = StepProcess(full_command, environment, keep_open=[self._lock])
        try:
            self._follow(process, tail)
            code = process.wait()
        except BaseException:
            self._log.writelines(f"{line}\n" for line in process.end())
            raise
        if counted:
            self._display.end(done=code == 0)
        if code and self._failed is None:
            self._failed = self.step, code, list(tail)
        return code

    def _follow(self, process: StepProcess, tail: deque[str]) -> None:
        """Logs and shows what a step says until it ends."""
        due = Throttle(_LOG_SECONDS)
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

    def _observed_cache(self) -> type[cache.LocalCache]:
        display, output = self._display, self._output

        class ObservedCache(cache.LocalCache):
            """Says which steps are skipped; checkpoints go once the trained model is in the cache."""

            step = ""

            def compute_key(self, component_name: str, *args: Any, **options: Any) -> str:
                self.step = component_name.removeprefix("comp-")
                return super().compute_key(component_name, *args, **options)

            def get(self, key: str) -> dict[str, Any] | None:
                outputs = super().get(key)
                if outputs is not None:
                    display.skip(self.step)
                    self._finished()
                return outputs

            def put(self, key: str, outputs: dict[str, Any]) -> None:
                super().put(key, outputs)
                self._finished()

            def _finished(self) -> None:
                if self.step == "train":
                    clear_checkpoints(str(output))

        return ObservedCache


@contextlib.contextmanager
def _replaced(module: object, name: str, value: object) -> Iterator[None]:
    before: Callable[..., Any] = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, before)


@contextlib.contextmanager
def _open_log(file: Path) -> Iterator[TextIO]:
    with explain_disk_errors(file):
        log = file.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
    with log:
        yield log


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
