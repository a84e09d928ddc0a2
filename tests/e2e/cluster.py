"""Helpers of the cluster tests: kubectl, forwarded ports, Prometheus, and clients that count answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx

from phytoflow.client import Client
from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port

NAMESPACE = "phytoflow-dev"
Object = dict[str, Any]


def kubectl(*words: str, stdin: str | None = None) -> str:
    """Runs kubectl in the dev namespace and returns its output. The command must succeed."""
    done = subprocess.run(
        ["kubectl", "-n", NAMESPACE, *words], capture_output=True, text=True, input=stdin, check=False
    )
    assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
    return done.stdout


def get(*words: str) -> Object:
    """Returns one object, or a list of them under ``items``."""
    parsed: Object = json.loads(kubectl("get", *words, "-o", "json"))
    return parsed


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Waits until a condition is true and returns the seconds it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.25)
    return time.monotonic() - start


@contextmanager
def forwarded(target: str, port: int) -> Iterator[int]:
    """Forwards a local port to one of a Service or pod."""
    here = free_port()
    # kubectl ends at the first connection that breaks, and blocks if nobody reads its output
    again = f"while :; do kubectl -n {NAMESPACE} port-forward {target} {here}:{port}; sleep 0.2; done"
    process = subprocess.Popen(
        ["sh", "-c", again], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until(lambda: _listens(here), 30, f"a way to {target}")
        yield here
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def prometheus(path: str, **query: str) -> Any:
    """Returns ``data`` of an answer of Prometheus' API, e.g. ``prometheus("query", query="up")``."""
    service = "/api/v1/namespaces/monitoring/services/prometheus:9090/proxy/api/v1/"
    words = "&".join(f"{key}={quote(value)}" for key, value in query.items())
    return json.loads(kubectl("get", "--raw", f"{service}{path}?{words}"))["data"]


def pods(name: str, *, going: bool = False) -> list[Object]:
    """Returns the pods that serve a name, with ``going`` also those that are draining."""
    items = get("pods", "-l", f"serving.kserve.io/inferenceservice={name}")["items"]
    return [pod for pod in items if going or "deletionTimestamp" not in pod["metadata"]]


def ready(pod: Object) -> bool:
    """Whether a pod accepts requests."""
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


@contextmanager
def in_threads(work: Callable[[int], None], count: int, ended: threading.Event) -> Iterator[None]:
    """Calls ``work`` in that many threads, each with its number; at the end tells them and waits."""
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@dataclass
class Callers:
    """Closed-loop clients of a Service. Each sends its next request once it got an answer.

    Attributes:
        versions: Number of answered photos by the version that answered.
        failed: Errors that clients got in place of an answer.
    """

    url: str
    model: str
    photos: Sequence[bytes]
    requests_a_connection: int = 20
    versions: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def calling(self, count: int) -> Iterator[Callers]:
        """Runs that many clients until the context ends."""
        with in_threads(self._call, count, self._ended):
            yield self

    def _call(self, number: int) -> None:
        """Opens new connections now and then: a Service spreads connections, not requests."""
        while not self._ended.is_set():
            with Client(self.url, self.model) as client:
                for turn in range(self.requests_a_connection):
                    if self._ended.is_set():
                        return
                    self._ask(client, self.photos[(number + turn) % len(self.photos)])

    def _ask(self, client: Client, photo: bytes) -> None:
        try:
            version = client.predict([photo])[0].model_version
        except (ServingError, httpx.HTTPError) as error:
            with self._lock:
                self.failed.append(repr(error))
            return
        with self._lock:
            self.versions[version] = self.versions.get(version, 0) + 1
