"""Real processes: started in order, watched, started again, ended in reverse order."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phytoflow.errors import StorageError
from phytoflow.stack import supervisor as module
from phytoflow.stack.layout import Layout
from phytoflow.stack.service import Service
from phytoflow.stack.supervisor import Supervisor

_PATIENCE = 30.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks and pauses of hundredths of a second."""
    for name in ("_TICK_SECONDS", "_CHECK_SECONDS", "_FIRST_PAUSE"):
        monkeypatch.setattr(module, name, 0.02)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # it runs in a thread here


@contextmanager
def supervised(folder: Path, *services: Service) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Runs services; gives what is written about one."""
    layout = Layout(folder)
    supervisor = Supervisor(layout, services)
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    try:
        yield lambda name: json.loads(layout.state.read_text())["services"][name]
    finally:
        supervisor._stop()
        thread.join(_PATIENCE)
        assert not thread.is_alive()


def service(folder: Path, name: str, script: str = "", **fields: Any) -> Service:
    """A process that is healthy once its file exists, and notes its start and its end."""
    up, events = folder / f"{name}.up", folder / "events"
    end = f"echo end-{name} >> {events}; rm -f {up}; exit 0"
    keep = f'trap "{end}" TERM; echo start-{name} >> {events}; touch {up}; while :; do sleep 0.02; done'
    return Service(name, ("sh", "-c", script or keep), up.exists, **fields)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if condition():
                return
        except FileNotFoundError:
            pass  # nothing is written yet
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_services_start_after_what_they_require_and_end_in_reverse_order(tmp_path: Path) -> None:
    first, second = service(tmp_path, "a"), service(tmp_path, "b", requires=("a",))
    with supervised(tmp_path, second, first) as state:
        wait(lambda: state("b")["status"] == "up")
        assert state("a")["status"] == "up" and state("a")["pid"] != state("b")["pid"]
    assert (tmp_path / "events").read_text().split() == ["start-a", "start-b", "end-a", "end-b"]
    ended = json.loads(Layout(tmp_path).state.read_text())["services"]
    assert {one["status"] for one in ended.values()} == {"stopped"}
    assert {one["pid"] for one in ended.values()} == {None}


def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, service(tmp_path, "a")) as state:
        wait(lambda: state("a")["status"] == "up")
        pid = state("a")["pid"]
        os.kill(pid, signal.SIGKILL)
        wait(lambda: state("a")["status"] == "up" and state("a")["pid"] not in (None, pid))
        assert state("a")["restarts"] == 1


def test_one_that_ends_at_once_says_with_which_code(tmp_path: Path) -> None:
    with supervised(tmp_path, service(tmp_path, "a", "exit 3")) as state:
        wait(lambda: state("a")["restarts"] >= 2)
        wait(lambda: state("a")["problem"] == "ended with code 3")


def test_one_that_stays_silent_is_killed_and_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, service(tmp_path, "a", "exec sleep 60", start_seconds=0.2)) as state:
        wait(lambda: state("a")["restarts"] >= 1)


def test_one_that_stops_answering_is_started_again(tmp_path: Path) -> None:
    with supervised(tmp_path, service(tmp_path, "a")) as state:
        wait(lambda: state("a")["status"] == "up")
        (tmp_path / "a.up").unlink()
        wait(lambda: state("a")["restarts"] == 1 and state("a")["status"] == "up")


def test_a_failed_preparation_is_said_and_others_run(tmp_path: Path) -> None:
    def fail() -> None:
        raise StorageError("the database cannot be migrated")

    bad = service(tmp_path, "bad", prepare=fail)
    with supervised(tmp_path, bad, service(tmp_path, "good", optional=True)) as state:
        wait(lambda: state("good")["status"] == "up")
        assert (state("bad")["optional"], state("good")["optional"]) == (False, True)
        assert state("bad")["status"] == "down" and "migrated" in state("bad")["problem"]


def test_one_that_ignores_the_signal_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.2)
    script = f'trap "" TERM; touch {tmp_path}/a.up; while :; do sleep 0.02; done'
    with supervised(tmp_path, service(tmp_path, "a", script)) as state:
        wait(lambda: state("a")["status"] == "up")
        pid = state("a")["pid"]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_at_a_change_only_what_differs_is_replaced(tmp_path: Path) -> None:
    """As at a promotion: the predictor gets another bundle, the challenger ends, the gateway goes on."""
    kept, old, gone = (service(tmp_path, name) for name in ("kept", "model", "gone"))
    new = replace(service(tmp_path, "model"), command=("sh", "-c", f"# new\n{old.command[2]}"))
    layout = Layout(tmp_path)
    supervisor = Supervisor(layout, [kept, old, gone], lambda: [kept, new])
    thread = threading.Thread(target=supervisor.run)
    thread.start()

    def state() -> dict[str, Any]:
        return dict(json.loads(layout.state.read_text())["services"])

    try:
        wait(lambda: all(one["status"] == "up" for one in state().values()))
        before = state()
        supervisor._note_change()
        wait(lambda: "gone" not in state() and state()["model"]["pid"] not in (None, before["model"]["pid"]))
        wait(lambda: state()["model"]["status"] == "up")
        assert state()["kept"] == before["kept"]
        events = (tmp_path / "events").read_text().split()
        assert events[3:] == ["end-model", "end-gone", "start-model"]
    finally:
        supervisor._stop()
        thread.join(_PATIENCE)
    assert not thread.is_alive()
