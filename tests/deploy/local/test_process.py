"""A process that is remembered in a file and ended by its id."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.deploy.local.process import PREDICTOR_MODULE, PredictorProcess

# Python's command line contains the module's name, by which a predictor is told from another process.
IDLE = "import sys, signal, time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + IDLE


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    return process


@pytest.fixture
def predictor() -> Iterator[subprocess.Popen[str]]:
    process = start(IDLE, PREDICTOR_MODULE)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_written_read_and_terminated(predictor: subprocess.Popen[str], tmp_path: Path) -> None:
    state = tmp_path / "out" / "predictor.json"
    recorded = PredictorProcess.of(predictor.pid, (8080, 8081), "v1")
    recorded.write(state)
    assert PredictorProcess.read(state) == recorded and recorded.is_running
    recorded.terminate()
    assert predictor.wait(10) == -signal.SIGTERM and not recorded.is_running
    recorded.terminate()  # once more is no error


def test_a_process_that_was_just_started_runs() -> None:
    """While its program is loaded, a process has no command line. Several tries, since that is short."""
    for _ in range(30):
        command = [sys.executable, "-c", IDLE, PREDICTOR_MODULE]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        recorded = PredictorProcess.of(process.pid, (1, 2), "v1")
        assert recorded.is_running
        recorded.terminate()
        assert process.wait(10) == -signal.SIGTERM


def test_one_that_ignores_sigterm_is_killed() -> None:
    process = start(STUBBORN, PREDICTOR_MODULE)
    PredictorProcess.of(process.pid, (1, 2), "v1").terminate(patience=0.2)
    assert process.wait(10) == -signal.SIGKILL


def test_a_zombie_does_not_run(predictor: subprocess.Popen[str]) -> None:
    recorded = PredictorProcess.of(predictor.pid, (1, 2), "v1")
    predictor.kill()
    assert predictor.stdout is not None and predictor.stdout.read() == ""  # ended, not yet reaped
    assert not recorded.is_running


def test_a_reused_pid_or_another_program_is_not_ours(predictor: subprocess.Popen[str]) -> None:
    ours = PredictorProcess.of(predictor.pid, (1, 2), "v1")
    assert not PredictorProcess(ours.pid, ours.started - 1, 1, 2, "v1").is_running
    other = start(IDLE)
    try:
        assert not PredictorProcess.of(other.pid, (1, 2), "v1").is_running
    finally:
        other.kill()
        other.wait()


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]", '{"pid": 1, "unknown": 2}'])
def test_a_damaged_state_file_is_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert PredictorProcess.read(tmp_path / "state.json") is None
    assert PredictorProcess.read(tmp_path / "none.json") is None
