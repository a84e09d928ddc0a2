"""A stack as users start it, and what its users see."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from phytoflow.stack.control import read_state, start, stop
from phytoflow.stack.layout import Layout
from phytoflow.system.ports import free_port
from serving.gateway.auth.local_issuer import LocalIssuer

_LIMIT = "PHYTOFLOW_GATEWAY__LIMITS__PHOTOS_PER_MINUTE"
_RECOVERY_SECONDS = 120.0


@dataclass
class RunningStack:
    """A stack that is up.

    Attributes:
        layout: Its folder.
        url: Address of the gateway.
        predicted: Ids of the predictions that were answered.
        tasks: Ids of the tasks that were accepted.
    """

    layout: Layout
    url: str
    predicted: list[str] = field(default_factory=list)
    tasks: list[str] = field(default_factory=list)

    def client(self) -> httpx.Client:
        """A client with a user's token."""
        token = LocalIssuer.open(self.layout.directory).token("anna", ["predict", "feedback"])
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def console(self) -> str:
        """Signs a browser in by a one-time link and returns the page of its photos."""
        code = LocalIssuer.open(self.layout.directory).one_time_code("anna", ["predict", "feedback"])
        with httpx.Client(base_url=self.url, follow_redirects=True, timeout=30, trust_env=False) as browser:
            return browser.get("/sign-in/link", params={"code": code}).raise_for_status().text

    def predict(self, photo: bytes) -> None:
        """Asks for a photo and remembers the answer's id."""
        with self.client() as client:
            answer = client.post("/v1/predict", content=photo, headers={"Content-Type": "image/jpeg"})
            self.predicted.append(answer.raise_for_status().json()["id"])

    def submit(self, photo: bytes) -> None:
        """Hands in a photo for later and remembers the task's id."""
        with self.client() as client:
            answer = client.post("/v1/predict_async", content=photo, headers={"Content-Type": "image/jpeg"})
            self.tasks.append(answer.raise_for_status().json()["task_id"])

    def lost(self, seconds: float = 60) -> list[str]:
        """Answered predictions and accepted tasks that are not there within the given seconds."""
        deadline = time.monotonic() + seconds
        while (missing := self._missing()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return missing

    def _missing(self) -> list[str]:
        with self.client() as client:
            gone = [one for one in self.predicted if not _is_there(client, f"/v1/predictions/{one}")]
            return gone + [one for one in self.tasks if not _is_done(client, f"/v1/result/{one}")]

    def kill(self, service: str) -> float:
        """Kills a service without warning; seconds until everything is up again, also what is optional."""
        self.complete()
        before = read_state(self.layout).services[service]
        os.killpg(before["pid"], signal.SIGKILL)
        began = time.monotonic()

        def recovered() -> bool:
            state = read_state(self.layout)
            return not state.missing and state.services[service]["restarts"] > before["restarts"]

        wait_until(recovered, _RECOVERY_SECONDS, f"{service} up again")
        return time.monotonic() - began

    def complete(self) -> None:
        """Waits until the optional services are up, too."""
        wait_until(lambda: not read_state(self.layout).missing, _RECOVERY_SECONDS, "every service up")

    def memory(self) -> dict[str, int]:
        """Bytes of each service with its children, shared pages divided among those that share them."""
        state = read_state(self.layout)
        groups = {name: one["pid"] for name, one in state.services.items()} | {"supervisor": state.pid}
        sizes = dict.fromkeys(groups, 0)
        for pid in [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]:
            for name, group in groups.items():
                if _session_of(pid) == group:
                    sizes[name] += _proportional_size(pid)
        return sizes


@contextmanager
def started(bundle: Path, directory: Path, without: tuple[str, ...] = ()) -> Iterator[RunningStack]:
    """Runs a stack for the length of the block. The limit of photos a minute is out of the way."""
    layout, port = Layout(directory.resolve()), free_port()
    os.environ[_LIMIT] = "100000"
    try:
        plan = start(
            layout,
            bundle=str(bundle),
            host="127.0.0.1",
            port=port,
            without=without,
            on_change=_ignore,
        )
        yield RunningStack(layout, plan.url)
    finally:
        os.environ.pop(_LIMIT)
        stop(layout)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for a condition.

    Raises:
        TimeoutError: It did not come true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.1)


def _ignore(_: dict[str, dict[str, Any]]) -> None:
    pass


def _is_there(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def _is_done(client: httpx.Client, path: str) -> bool:
    try:
        answer = client.get(path)
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["state"] == "done"


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _proportional_size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
