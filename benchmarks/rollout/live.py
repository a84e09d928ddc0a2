"""`python -m benchmarks.rollout.live BUNDLE PHOTOS`: what a rollout costs users, on real processes.

Two predictors with one bundle, and two gateways that share a database: the delay of copies, the split,
changes of the share under load, and how soon all replicas have rolled back.
"""

from __future__ import annotations

import os
import random
import re
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Annotated

import httpx
import numpy as np
import typer

from benchmarks.gateway.paced import run_paced
from benchmarks.gateway.requests import gateway_request
from benchmarks.gateway.servers import await_answer, gateway_process, server_process, started
from phytoflow.system.ports import free_port
from serving.gateway.auth.local_issuer import LocalIssuer

_DATABASE = "PHYTOFLOW_GATEWAY__DATABASE__URL"
_PERCENTS = (1, 5, 25, 50)
# Nothing but the benchmark decides.
_PATIENT = {"min_pairs": 10**9, "slow_factor": 1000.0, "canary_percents": list(_PERCENTS)}


@dataclass(frozen=True)
class Replicas:
    """Two gateways before a champion, and a challenger.

    Attributes:
        ports: Of the gateways.
        challenger: URL of the challenger.
        issuer: Signs tokens for both gateways.
        database: File of their database.
    """

    ports: tuple[int, int]
    challenger: str
    issuer: LocalIssuer
    database: Path

    def call(self, path: str, body: dict[str, object] | None = None) -> None:
        """A call of an administrator to the first gateway."""
        headers = {"Authorization": f"Bearer {self.issuer.token('admin', ['admin', 'review'])}"}
        url = f"http://127.0.0.1:{self.ports[0]}/v1/rollouts{path}"
        httpx.post(url, json=body, headers=headers, timeout=60).raise_for_status()

    def start(self, changes: int = 0) -> None:
        """Begins a rollout and goes on by so many stages."""
        self.call("", {"challenger": self.challenger, "settings": _PATIENT})
        for _ in range(changes):
            self.call("/current/promote")

    def percent(self, port: int) -> float:
        """The share of users that a gateway gives to the challenger, in percent."""
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=60).text
        value = re.search(r"^gateway_rollout_percent (\S+)$", text, re.MULTILINE)
        assert value, "the gateway has no metric gateway_rollout_percent"
        return float(value[1])


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    rate: Annotated[float, typer.Option(help="Requests a second.")] = 20.0,
    seconds: Annotated[float, typer.Option(help="Length of each window.")] = 5.0,
    rounds: Annotated[int, typer.Option(help="Windows with copies, and without.")] = 6,
    users: Annotated[int, typer.Option(help="Users of the split, one request each.")] = 10_000,
    changes: Annotated[int, typer.Option(help="Changes of the share under load.")] = 50,
) -> None:
    """Prints one line for each property."""
    contents = [path.read_bytes() for path in sorted(photos.rglob("*.jp*g"))[:64]]
    with tempfile.TemporaryDirectory() as name, start_replicas(bundle, bundle, Path(name)) as replicas:
        token = replicas.issuer.token("benchmark", ["predict"])
        requests = [gateway_request(content, token) for content in contents]
        typer.echo(shadow_cost(replicas, requests, rate, seconds, rounds))
        typer.echo(changes_under_load(replicas, requests, rate, changes))
        typer.echo(rollback_time(replicas, 10))
        typer.echo(split(replicas, contents[0], users))


@contextmanager
def start_replicas(champion: Path, challenger: Path, folder: Path) -> Iterator[Replicas]:
    """Starts two predictors, each with a bundle, and two gateways before the first one."""
    database, directories = folder / "shared.db", (folder / "gateway", folder / "second")
    os.environ[_DATABASE] = f"sqlite+aiosqlite:///{database}"
    with ExitStack() as stack:
        first = stack.enter_context(started(champion, folder, "onnx"))
        directories[1].mkdir(mode=0o700)
        os.link(directories[0] / "issuer.json", directories[1] / "issuer.json")
        second, _ = stack.enter_context(gateway_process(directories[1], first.predictor, first.cpus[1]))
        port = free_port()
        command = ["serving.predictor", f"--bundle={challenger}", "--runtime=onnx", "--host=127.0.0.1"]
        command += [f"--http_port={port}", f"--grpc_port={free_port()}", "--log_level=WARNING"]
        stack.enter_context(server_process(command, first.cpus[0], folder / "challenger.log", {}))
        await_answer(f"http://127.0.0.1:{port}/v2/models/leaf/ready")
        issuer = LocalIssuer.open(directories[0])
        yield Replicas((first.gateway, second), f"http://127.0.0.1:{port}", issuer, database)
    os.environ.pop(_DATABASE)


def shadow_cost(
    replicas: Replicas, requests: Sequence[bytes], rate: float, seconds: float, rounds: int
) -> str:
    """Percentiles of the users' latency with copies to a challenger and without, in turns."""
    windows: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for _ in range(rounds):
        for copied in random.sample([True, False], 2):
            if copied:
                replicas.start()
            latencies = run_paced(replicas.ports[0], requests, rate, seconds)
            p50, p99 = np.percentile(latencies, [50, 99]) * 1000
            windows[copied].append((float(p50), float(p99)))
            if copied:
                replicas.call("/current/abort")
    added = [
        [after[i] - before[i] for after, before in zip(windows[True], windows[False], strict=True)]
        for i in (0, 1)
    ]
    return (
        f"shadow at {rate:g}/s: p50 {median(one[0] for one in windows[False]):.2f} ms, added "
        f"{median(added[0]):.2f} ms; p99 {median(one[1] for one in windows[False]):.2f} ms, added "
        f"{median(added[1]):.2f} ms ({min(added[1]):.2f} to {max(added[1]):.2f})"
    )


def changes_under_load(replicas: Replicas, requests: Sequence[bytes], rate: float, changes: int) -> str:
    """Changes of the share while users ask both gateways; a request that fails ends the benchmark."""
    made = 0

    def change() -> None:
        nonlocal made
        while made < changes:
            replicas.start()
            for _ in _PERCENTS:
                time.sleep(0.3)
                replicas.call("/current/promote")
            time.sleep(0.3)
            replicas.call("/current/abort")
            made += len(_PERCENTS) + 2

    asked = _while(change, lambda port: len(run_paced(port, requests, rate, 1.0)), replicas.ports)
    return f"{made} changes of the share: {asked} requests, 0 failed"


def _while(work: Callable[[], None], ask: Callable[[int], int], ports: Sequence[int]) -> int:
    """Asks gateways in turn until the work is done; the number of answers."""
    thread, asked, number = threading.Thread(target=work), 0, 0
    thread.start()
    while thread.is_alive():
        asked += ask(ports[number % len(ports)])
        number += 1
    return asked


def rollback_time(replicas: Replicas, times: int) -> str:
    """Seconds from an abort at one gateway until the other one has rolled back."""
    taken = []
    for _ in range(times):
        replicas.start(len(_PERCENTS))
        _await_percent(replicas, _PERCENTS[-1])
        began = time.perf_counter()
        replicas.call("/current/abort")
        _await_percent(replicas, 0)
        taken.append(time.perf_counter() - began)
    return f"rollback over two replicas: {median(taken):.2f} s, at most {max(taken):.2f} s of {times}"


def _await_percent(replicas: Replicas, wanted: int) -> None:
    deadline = time.monotonic() + 60
    while any(replicas.percent(port) != wanted for port in replicas.ports):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the gateways do not come to {wanted}%")
        time.sleep(0.02)


def split(replicas: Replicas, photo: bytes, users: int) -> str:
    """Share of users that the challenger answered, over both gateways, as the log has it."""
    percent = _PERCENTS[2]
    replicas.start(3)
    _await_percent(replicas, percent)
    with sqlite3.connect(replicas.database) as database:
        (before,) = database.execute("SELECT count(*) FROM predictions").fetchone()
    tokens = [replicas.issuer.token(f"user {number}", ["predict"]) for number in range(users)]
    requests = [gateway_request(photo, token) for token in tokens]
    for port, half in zip(replicas.ports, (requests[::2], requests[1::2]), strict=True):
        run_paced(port, half, 100.0, len(half) / 100.0)
    counts = {"champion": 0, "challenger": 0}
    deadline = time.monotonic() + 60
    while sum(counts.values()) < users and time.monotonic() < deadline:
        with sqlite3.connect(replicas.database) as database:
            query = "SELECT role, count(*) FROM predictions WHERE user_name LIKE 'user %' GROUP BY role"
            counts |= dict(database.execute(query).fetchall())
        time.sleep(0.2)
    replicas.call("/current/abort")
    share = 100 * counts["challenger"] / sum(counts.values())
    return f"split at {percent}%: {share:.2f}% of {sum(counts.values())} requests (after {before} others)"


if __name__ == "__main__":
    typer.run(main)
