"""A gateway that runs as a process of its own, as users have it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from phytoflow.system.ports import free_port
from serving.gateway.auth.local_issuer import LocalIssuer

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class RunningGateway:
    """A gateway process.

    Attributes:
        url: Its address.
        directory: Its folder.
        log: Its log file.
    """

    url: str
    directory: Path
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it is alive."""
        command = [sys.executable, "-m", "serving.gateway", "serve", "--directory", str(self.directory)]
        environment = os.environ | self.environment | {"PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT)
        deadline = time.monotonic() + 600  # on a machine that is busy with other tests
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"the gateway did not start:\n{self.log.read_text()}")
            try:
                if httpx.get(f"{self.url}/livez").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)

    def kill(self) -> None:
        """Ends it without warning."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """Ends it in good order."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            assert self.process.wait(60) == 0, self.log.read_text()

    def token(self, user: str = "anna", scopes: str = "predict feedback") -> str:
        """A token of the local issuer."""
        return LocalIssuer.open(self.directory).token(user, scopes.split())

    def client(self, user: str = "anna", scopes: str = "predict feedback") -> httpx.Client:
        """A client that sends the user's token."""
        headers = {"Authorization": f"Bearer {self.token(user, scopes)}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


def start_gateway(folder: Path, champion: str, *, port: int = 0, **settings: object) -> RunningGateway:
    """Starts a gateway before a predictor.

    Args:
        folder: For its directory and log.
        champion: URL of the predictor.
        port: Where it listens; 0: a free one.
        settings: Further settings, e.g. ``limits__photos_per_minute=1000``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    chosen = {
        "upstream__champion": champion,
        "server__port": port,
        "limits__photos_per_minute": 100000,
    } | settings
    environment = {f"PHYTOFLOW_GATEWAY__{name.upper()}": str(value) for name, value in chosen.items()}
    gateway = RunningGateway(
        f"http://127.0.0.1:{port}", folder / "gateway", folder / "gateway.log", environment
    )
    gateway.start()
    return gateway
