"""The real predictor as a process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from phytoflow.system.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
LIMITS = {"max_photo_bytes": 200_000, "max_pixels": 1_000_000, "max_body_bytes": 2_000_000}
PREDICTOR = ("-m", "serving.predictor")
_BREAK_UVICORN = """
import sys
import serving.predictor
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
HttpToolsProtocol.on_body = lambda self, body, more_body: None
from serving.predictor.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
PLAIN_ASGI = ("-c", _BREAK_UVICORN)
"""Entry of a predictor that meets a uvicorn whose protocol class is not what the fast path expects."""
_START_SECONDS = 120
_STOP_SECONDS = 60
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Server:
    """A running predictor.

    Attributes:
        url: REST.
        grpc: gRPC target.
        process: Its process.
        log: Its log file.
    """

    url: str
    grpc: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def model(self) -> str:
        """URL of the model ``leaf``."""
        return f"{self.url}/v2/models/leaf"

    @property
    def resident_megabytes(self) -> float:
        """Resident memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def start(bundle: Path, log: Path, entry: Sequence[str] = PREDICTOR, **options: object) -> Server:
    """Starts a predictor and waits until it is ready.

    Args:
        bundle: What it serves.
        log: File that gets its output.
        entry: Arguments of the interpreter that run the predictor's ``main``.
        options: The predictor's own options.

    Raises:
        AssertionError: It ended or did not become ready; the message holds its log.
    """
    http, grpc = options.get("http_port") or free_port(), free_port()
    arguments = {"bundle": bundle, "http_port": http, "grpc_port": grpc, "runtime": "onnx"} | options
    command = [sys.executable, *entry, *(f"--{name}={value}" for name, value in arguments.items())]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
    server = Server(f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}", process, log)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{server.model}/ready").status_code == 200:
                return server
        time.sleep(_POLL_SECONDS)
    process.kill()
    raise AssertionError(f"the predictor did not start:\n{log.read_text()}")


def stop(server: Server) -> None:
    """Ends a predictor with SIGTERM; raises AssertionError if it does not end in order."""
    server.process.terminate()
    assert server.process.wait(_STOP_SECONDS) == 0, server.log.read_text()


@contextlib.contextmanager
def running(bundle: Path, log: Path, entry: Sequence[str] = PREDICTOR, **options: object) -> Iterator[Server]:
    """A predictor for the length of a block; see ``start``. After a failure it is killed."""
    server = start(bundle, log, entry, **options)
    try:
        yield server
        stop(server)
    finally:
        server.process.kill()
        server.process.wait()
