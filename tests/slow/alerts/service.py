"""The service in which alerts are fired, and how long each took from its fault to the webhook."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.golden import PHOTOS, SERVED
from tests.support.services.databases import RunningServer
from tests.support.services.gateway import RunningGateway
from tests.support.services.servers import Server
from tests.support.services.webhook_receiver import WebhookReceiver

PHOTO = (PHOTOS / SERVED[0]).read_bytes()
LONGEST_SECONDS = 60
FIRED: dict[str, float] = {}
"""Seconds from the fault to the webhook, by the name of the alert; of all files of this folder."""
_REQUEST_SECONDS = 35  # the clients' own limit is 30


@dataclass
class Service:
    """Everything that runs."""

    predictor: Server
    gateway: RunningGateway
    worker: subprocess.Popen[bytes]
    postgres: RunningServer
    redis: RunningServer
    webhook: WebhookReceiver
    root: Path

    def expect(self, names: set[str], fault: Callable[[], None], *loads: Callable[[], object]) -> None:
        """Causes a fault, keeps up the loads, and waits for the alerts; raises AssertionError after 60 s."""
        first = self.webhook.first
        assert not names & first.keys(), "fired before its fault"
        began = time.monotonic()
        fault()
        with keep_up(*loads):
            while not names <= first.keys() and time.monotonic() < began + LONGEST_SECONDS:
                time.sleep(0.1)
        for name in sorted(names & first.keys()):
            FIRED[name] = first[name] - began
            print(f"{name}: {FIRED[name]:.0f} s")
        assert names <= first.keys(), f"silent: {names - first.keys()}"

    def predict(self, photo: bytes = PHOTO, user: str = "anna") -> Callable[[], httpx.Response]:
        """A user who sends the same photo whenever called."""
        client = self.gateway.client(user)
        return lambda: client.post("/v1/predict", files={"file": ("leaf.jpg", photo)})

    def predict_together(self, photos: list[bytes]) -> None:
        """Sends photos in one request."""
        files = [("files", ("leaf.png", photo)) for photo in photos]
        answer = self.gateway.client().post("/v1/predict_batch", files=files)
        assert answer.status_code == 200, answer.text


def do_nothing() -> None:
    """The fault is the load alone."""


def slowly(load: Callable[[], object]) -> Callable[[], None]:
    """Thousands of photos would fill the journal, which is small here, before the database has them."""

    def load_and_pause() -> None:
        load()
        time.sleep(0.2)

    return load_and_pause


@contextmanager
def keep_up(*loads: Callable[[], object]) -> Iterator[None]:
    """Calls each load again and again, in a thread of its own."""
    done = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(load, done), daemon=True) for load in loads]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join(_REQUEST_SECONDS)


def _repeat(load: Callable[[], object], done: threading.Event) -> None:
    while not done.is_set():
        with suppress(httpx.TransportError):
            load()
