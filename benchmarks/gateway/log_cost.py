"""`python -m benchmarks.gateway.log_cost BUNDLE PHOTOS`: how much later answers come because they are logged.

Two gateways before one predictor, one of which remembers nothing. Both are asked in turns at the same rate,
in another order each round.
"""

from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer

from benchmarks.gateway.paced import run_paced
from benchmarks.gateway.requests import gateway_request
from benchmarks.gateway.servers import Servers, gateway_process, started

_PERCENTILES = {"p50": 50, "p99": 99}


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    rate: Annotated[float, typer.Option(help="Requests a second.")] = 50.0,
    seconds: Annotated[float, typer.Option(help="Length of each window.")] = 6.0,
    rounds: Annotated[int, typer.Option(help="Windows of each gateway.")] = 10,
    runtime: Annotated[str, typer.Option(help="Runtime of the predictor.")] = "onnx",
) -> None:
    """Prints percentiles of the latency with and without the log, and their differences by round."""
    contents = [path.read_bytes() for path in sorted(photos.rglob("*.jp*g"))[:64]]
    with tempfile.TemporaryDirectory() as name, started(bundle, Path(name), runtime) as servers:
        directory = Path(name) / "without"
        _share_keys(Path(name) / "gateway", directory)
        with gateway_process(
            directory, servers.predictor, servers.cpus[1], "benchmarks.gateway.without_log"
        ) as (port, _):
            ports = {"with": servers.gateway, "without": port}
            times = _measure(servers, ports, contents, rate, seconds, rounds)
    for line in report(times):
        typer.echo(line)


def _share_keys(source: Path, target: Path) -> None:
    """One token for both gateways."""
    target.mkdir(mode=0o700)
    os.link(source / "issuer.json", target / "issuer.json")


def _measure(
    servers: Servers,
    ports: dict[str, int],
    contents: list[bytes],
    rate: float,
    seconds: float,
    rounds: int,
) -> dict[str, list[dict[str, float]]]:
    """Percentiles in milliseconds of each window of each gateway."""
    requests = [gateway_request(content, servers.token) for content in contents]
    times: dict[str, list[dict[str, float]]] = {name: [] for name in ports}
    for _ in range(rounds):
        for name in random.sample(sorted(ports), len(ports)):
            latencies = run_paced(ports[name], requests, rate, seconds)
            values = np.percentile(latencies, list(_PERCENTILES.values())) * 1000
            times[name].append(dict(zip(_PERCENTILES, map(float, values), strict=True)))
    return times


def report(times: dict[str, list[dict[str, float]]]) -> list[str]:
    """Medians of the windows, and the median difference of windows of one round."""
    lines = []
    for percentile in _PERCENTILES:
        with_log, without = ([one[percentile] for one in times[name]] for name in ("with", "without"))
        added = [after - before for after, before in zip(with_log, without, strict=True)]
        lines.append(
            f"{percentile}: without the log {median(without):.2f} ms, with it {median(with_log):.2f} ms, "
            f"added {median(added):.2f} ms ({min(added):.2f} to {max(added):.2f})"
        )
    return lines


if __name__ == "__main__":
    typer.run(main)
