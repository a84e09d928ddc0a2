"""Starting, looking at and ending a stack."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from phytoflow.errors import ConfigError, ServingError
from phytoflow.stack.control import _plan, read_state, start, stop
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import OPTIONAL, Plan
from phytoflow.system.ports import free_port


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder that is taken for a bundle; nothing opens it."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "bundle.json").write_text("{}")
    return folder


def begin(layout: Layout, bundle: str = "", without: tuple[str, ...] = (), port: int = 0) -> None:
    start(
        layout,
        bundle=bundle,
        host="127.0.0.1",
        port=port or free_port(),
        without=without,
        on_change=lambda _: None,
    )


def write_state(layout: Layout, **statuses: str) -> None:
    """What a supervisor writes; MLflow is optional."""
    services = {
        name: {"status": status, "pid": 1, "restarts": 0, "problem": "", "optional": name == "mlflow"}
        for name, status in ({"gateway": "up"} | statuses).items()
    }
    layout.state.write_text(json.dumps({"pid": 4242, "services": services}))


def test_nothing_runs_in_an_empty_folder(tmp_path: Path) -> None:
    state = read_state(Layout(tmp_path))
    assert (state.pid, state.services, state.is_up) == (None, {}, False)
    assert not stop(Layout(tmp_path))


def test_a_killed_supervisor_does_not_count_as_running(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    write_state(layout)
    layout.lock.touch()  # left behind
    assert read_state(layout).pid is None and not read_state(layout).is_up


def test_a_held_lock_is_a_running_stack_which_is_not_started_twice(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    write_state(layout)
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    assert read_state(layout).pid == 4242 and read_state(layout).is_up
    with pytest.raises(ConfigError, match="is up already"):
        begin(layout)
    os.close(lock)
    assert read_state(layout).pid is None


@pytest.mark.parametrize(
    ("statuses", "up", "missing"),
    [
        ({"mlflow": "up"}, True, []),
        ({"mlflow": "starting"}, True, ["mlflow"]),
        ({"mlflow": "down", "worker": "starting"}, False, ["worker", "mlflow"]),
        ({"mlflow": "up", "gateway": "waiting"}, False, ["gateway"]),
    ],
)
def test_a_stack_is_up_without_its_optional_services(
    tmp_path: Path, statuses: dict[str, str], up: bool, missing: list[str]
) -> None:
    layout = Layout(tmp_path)
    write_state(layout, **statuses)
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    state = read_state(layout)
    os.close(lock)
    assert (state.is_up, state.missing) == (up, missing)


def test_a_stack_needs_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="there is no bundle to serve"):
        begin(Layout(tmp_path / "stack"))
    with pytest.raises(ConfigError, match="there is no bundle at"):
        begin(Layout(tmp_path / "stack"), str(tmp_path))
    assert not (tmp_path / "stack" / "plan.json").exists()


def test_an_unknown_service_or_a_taken_port_is_refused_before_anything_starts(
    tmp_path: Path, bundle: Path
) -> None:
    layout = Layout(tmp_path / "stack")
    with pytest.raises(ConfigError, match="no optional service 'kafka'"):
        begin(layout, str(bundle), ("kafka",))
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ServingError, match="--port"):
        begin(layout, str(bundle), port=taken.getsockname()[1])
    assert Plan.read(layout) is None


def test_a_service_that_does_not_come_up_is_named_with_its_log(
    tmp_path: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor whose plan is broken ends at once."""
    layout = Layout(tmp_path / "stack")
    layout.directory.mkdir()
    layout.lock.mkdir()  # the supervisor cannot take it
    with pytest.raises(ServingError) as failed:
        begin(layout, str(bundle), OPTIONAL)
    assert "supervisor did not come up" in str(failed.value)
    assert "IsADirectoryError" in str(failed.value)
    assert str(layout.log("supervisor")) in failed.value.remedy


def test_a_rollout_goes_on_over_a_restart_and_ends_with_another_bundle(tmp_path: Path, bundle: Path) -> None:
    layout, other = Layout(tmp_path / "stack"), tmp_path / "other"
    other.mkdir()
    (other / "bundle.json").write_text("{}")
    first = _plan(layout, str(bundle), "127.0.0.1", 8000, ())
    replace(first, challenger="/photos/next").write(layout)
    again = _plan(layout, "", "127.0.0.1", 8000, ())
    assert (again.bundle, again.challenger, again.ports) == (str(bundle), "/photos/next", first.ports)
    assert _plan(layout, str(other), "127.0.0.1", 8000, ()).challenger == ""
