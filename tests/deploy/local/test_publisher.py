"""Publishing on this machine with the real predictor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from phytoflow.deploy.local.process import PredictorProcess
from phytoflow.deploy.local.publisher import publish, stop
from phytoflow.deploy.settings import ServingSettings
from phytoflow.errors import ServingError
from tests.support.make_bundle import pictures

SETTINGS = ServingSettings(runtime="onnx", ready_timeout_seconds=120)
PHOTOS = pictures(6)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "out" / "predictor.json"
    yield file
    stop(file)


def test_publish_again_then_stop(bundle: Path, state: Path) -> None:
    first = publish(bundle, SETTINGS, state, PHOTOS)
    assert (first.compared, first.name) == (6, "leaf")
    assert first.max_difference < 1e-4
    assert httpx.get(f"{first.url}/v2/models/leaf/ready").status_code == 200
    assert PredictorProcess.read(state).pid == first.pid

    second = publish(bundle, SETTINGS, state, PHOTOS)
    assert second.pid != first.pid
    assert not _runs(first.pid)
    assert httpx.get(f"{second.url}/v2/models/leaf/ready").status_code == 200

    assert stop(state)
    assert not _runs(second.pid)
    assert not stop(state)
    assert not state.exists()


def test_a_proxy_for_the_internet_is_not_asked_for_a_process_on_this_machine(
    bundle: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://proxy.invalid:3128")
    assert publish(bundle, SETTINGS, state, PHOTOS).compared == 6


def test_a_taken_port_is_said_before_anything_starts(bundle: Path, state: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        settings = SETTINGS.model_copy(update={"http_port": taken.getsockname()[1]})
        with pytest.raises(ServingError, match=r"serving\.http_port \d+ is in use") as caught:
            publish(bundle, settings, state, PHOTOS)
    assert "0 for a free one" in caught.value.remedy


def test_a_slow_start_is_given_up(
    bundle: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text("import time; time.sleep(60)")  # before the predictor itself
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ServingError, match="not ready within"):
        publish(bundle, SETTINGS.model_copy(update={"ready_timeout_seconds": 0.2}), state, PHOTOS)
    assert not state.exists()


def test_another_process_with_the_pid_is_left_alone(state: Path) -> None:
    state.parent.mkdir()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    while not Path(f"/proc/{other.pid}/cmdline").read_bytes():  # the system loads the program
        time.sleep(0.01)
    try:
        PredictorProcess.of(other.pid, (1, 2), "x").write(state)
        assert not stop(state)
        assert other.poll() is None
    finally:
        other.send_signal(signal.SIGKILL)
        other.wait()


def test_a_damaged_state_file_is_no_predictor(state: Path) -> None:
    state.parent.mkdir()
    state.write_text('{"pid": 1')
    assert PredictorProcess.read(state) is None
    assert not stop(state)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
