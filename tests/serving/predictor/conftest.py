"""The real predictor, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from phytoflow.inference.classifier import Classifier
from phytoflow.system.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
LIMITS = {"max_photo_bytes": 200_000, "max_pixels": 1_000_000, "max_body_bytes": 2_000_000}


@dataclass(frozen=True)
class Server:
    """A predictor that runs.

    Attributes:
        url: REST.
        grpc: gRPC target.
        process: The process.
        log: Its log file.
    """

    url: str
    grpc: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def model(self) -> str:
        return f"{self.url}/v2/models/leaf"


def start(bundle: Path, log: Path, **options: object) -> Server:
    """Starts a predictor and waits until it is ready."""
    http, grpc = free_port(), free_port()
    arguments = {"bundle": bundle, "http_port": http, "grpc_port": grpc, "runtime": "onnx"} | options
    command = [sys.executable, "-m", "serving.predictor", *(f"--{k}={v}" for k, v in arguments.items())]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    server = Server(f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}", process, log)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{server.model}/ready").status_code == 200:
                return server
        except httpx.TransportError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the predictor did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One predictor for every test that does not end it."""
    running = start(bundle, tmp_path_factory.mktemp("server") / "log", **LIMITS)
    yield running
    running.process.terminate()
    assert running.process.wait(60) == 0, running.log.read_text()


@pytest.fixture(scope="session")
def offline(bundle: Path) -> Classifier:
    """The same bundle without a server."""
    return Classifier.load(bundle, "onnx", 1)
