"""`python -m benchmarks.gateway.log_sender BUNDLE PHOTOS`: what the predictor's log sender costs it.

Three predictors share half of the CPUs: one logs nothing, one logs to a gateway, one logs features too. They
are loaded in turns, in another order each round. The gateway and the load have the other CPUs.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Annotated, NamedTuple

import httpx
import numpy as np
import psutil
import typer

from benchmarks.gateway.requests import v2_request
from benchmarks.gateway.servers import Servers, await_answer, server_process, started
from benchmarks.serving.load import run
from phytoflow.system.ports import free_port

_CLIENTS = 8
_SENDERS = {"no log": "", "log": "no", "log with features": "yes"}


class _Cost(NamedTuple):
    """One window of load on one predictor."""

    photos_per_second: float
    cpu_seconds_per_photo: float


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    seconds: Annotated[float, typer.Option(help="Length of each window.")] = 3.0,
    rounds: Annotated[int, typer.Option(help="Windows of each predictor.")] = 15,
    runtime: Annotated[str, typer.Option(help="Runtime of the predictor.")] = "onnx",
) -> None:
    """Prints photos a second and CPU time a photo, each relative to the predictor without a log."""
    requests = [v2_request([path.read_bytes()]) for path in sorted(photos.rglob("*.jp*g"))[:64]]
    costs: dict[str, list[_Cost]] = {name: [] for name in _SENDERS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(started(bundle, folder, runtime, scopes=("log",)))
        (folder / "token").write_text(servers.token)
        predictors = {
            name: _start(stack, bundle, folder, runtime, features, servers)
            for name, features in _SENDERS.items()
        }
        for _ in range(rounds):
            for name in random.sample(sorted(_SENDERS), len(_SENDERS)):
                costs[name].append(_measure(*predictors[name], requests, seconds))
        for name, (port, _) in predictors.items():
            typer.echo(f"{name}: {_dropped(port):.0f} predictions dropped")
    _print(costs)


def _start(
    stack: ExitStack, bundle: Path, folder: Path, runtime: str, features: str, servers: Servers
) -> tuple[int, psutil.Process]:
    port = free_port()
    command = ["serving.predictor", f"--bundle={bundle}", f"--runtime={runtime}", "--host=127.0.0.1"]
    command += [f"--http_port={port}", "--grpc_port=0", "--log_level=WARNING"]
    if features:
        command += [f"--log_url=http://127.0.0.1:{servers.gateway}", f"--log_token_file={folder / 'token'}"]
        command += [f"--log_features={features}"]
    process = stack.enter_context(server_process(command, servers.cpus[0], folder / f"{port}.log", {}))
    await_answer(f"http://127.0.0.1:{port}/v2/models/leaf/ready")
    return port, psutil.Process(process.pid)


def _measure(port: int, process: psutil.Process, requests: list[bytes], seconds: float) -> _Cost:
    before = process.cpu_times()
    window = run(port, requests, _CLIENTS, seconds, lead=0.5)
    assert not window.broken and all(b" 200" in status for _, status, _ in window.answers)
    time.sleep(1.2)  # the last batch of the log is sent within a second
    after = process.cpu_times()
    used = after.user + after.system - before.user - before.system
    return _Cost(len(window.latencies) / seconds, used / len(window.answers))


def _dropped(port: int) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith("prediction_log_dropped_total")
    )


def _print(costs: dict[str, list[_Cost]]) -> None:
    for name, found in costs.items():
        photos, cpu = zip(*found, strict=True)
        base_photos, base_cpu = zip(*costs["no log"], strict=True)
        typer.echo(
            f"{name}: {median(photos):.0f} photos/s, relative {_relative(photos, base_photos)}; "
            f"CPU {median(cpu) * 1000:.3f} ms a photo, relative {_relative(cpu, base_cpu)}"
        )


def _relative(values: Sequence[float], base: Sequence[float]) -> str:
    """Median of the rounds' ratios with a 95% bootstrap interval."""
    ratios = np.divide(values, base)
    draws = np.random.default_rng(0).choice(ratios, (2000, len(ratios)))
    low, high = np.percentile(np.median(draws, axis=1), [2.5, 97.5])
    return f"{median(ratios):.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    typer.run(main)
