"""Runs one service for the length of a block, without a supervisor."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from phytoflow.errors import ServingError
from phytoflow.stack.layout import Layout
from phytoflow.stack.service import Service


@contextmanager
def running(service: Service, layout: Layout) -> Iterator[None]:
    """Starts a service, waits until it is healthy, and ends it after the block.

    Raises:
        ServingError: It does not become healthy.
    """
    if service.prepare:
        service.prepare()
    log = layout.log(service.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(
            service.command,
            env=os.environ | dict(service.environment),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + service.start_seconds
        while not service.health():
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServingError(f"{service.name} did not come up", remedy=f"see {log}")
            time.sleep(0.1)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, service.stop_signal)
            process.wait(60)
