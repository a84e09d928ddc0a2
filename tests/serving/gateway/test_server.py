"""The gateway's process: where it listens, and how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.serving.gateway.conftest import RunningGateway, Server, start_gateway
from tests.support.services.gateway import ROOT


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_all_interfaces_means_both_families_and_a_draining_gateway_closes_kept_connections(
    predictor: Server, tmp_path: Path
) -> None:
    running = start_gateway(tmp_path, predictor.url, server__host="::")
    port = running.url.rpartition(":")[2]
    for host in ("127.0.0.1", "[::1]"):
        assert httpx.get(f"http://{host}:{port}/livez").status_code == 200
    with httpx.Client(base_url=running.url) as client:
        assert "connection" not in client.get("/readyz").headers
        assert running.process is not None
        running.process.send_signal(signal.SIGTERM)
        while (answer := client.get("/readyz")).status_code == 200:
            time.sleep(0.01)
        assert answer.status_code == 503 and answer.headers["connection"] == "close"
        assert client.get("/livez").status_code == 200  # still listening
    assert running.process.wait(30) == 0, running.log.read_text()


def test_requests_in_progress_are_answered(predictor: Server, tmp_path: Path, photo: bytes) -> None:
    running = start_gateway(tmp_path, predictor.url)
    answers: list[int] = []

    def ask() -> None:
        with running.client() as client:
            while not ended.is_set():
                answers.append(client.post("/v1/predict", content=photo, headers=_JPEG).status_code)

    ended = threading.Event()
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(answers) < 20:
        time.sleep(0.01)
    assert running.process is not None
    running.process.send_signal(signal.SIGTERM)
    time.sleep(1)  # while it drains, it answers as before
    ended.set()
    for thread in threads:
        thread.join()
    assert running.process.wait(30) == 0, running.log.read_text()
    assert set(answers) == {200}


def test_a_taken_port_is_named(gateway: RunningGateway, tmp_path: Path) -> None:
    port = gateway.url.rpartition(":")[2]
    (tmp_path / "gateway.yaml").write_text(f"server: {{port: {port}}}\ndirectory: {tmp_path}\n")
    command = [sys.executable, "-m", "serving.gateway", "serve", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode != 0
    assert f"port {port}: Address already in use" in done.stderr


_JPEG = {"Content-Type": "image/jpeg"}
