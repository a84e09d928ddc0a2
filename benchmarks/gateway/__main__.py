"""`python -m benchmarks.gateway BUNDLE PHOTOS`: what the gateway adds to the predictor's answers.

The predictor has half of the CPUs, the gateway and the load the others. Both are asked in turns for the same
photos, directly over V2 and through the gateway.
"""

from __future__ import annotations

import io
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import typer
from PIL import Image

from benchmarks.gateway.paced import run_paced
from benchmarks.gateway.requests import gateway_batch, gateway_request, v2_request
from benchmarks.gateway.servers import Servers, memory, peak_memory, reset_peak, started
from benchmarks.serving.load import run

_BATCH = 16
_LARGE_SIDE = 1670  # pixels: 8 MiB as PNG without compression


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    photos: Annotated[Path, typer.Argument(help="Folder of photos.")],
    seconds: Annotated[float, typer.Option(help="Length of each window.")] = 3.0,
    rounds: Annotated[int, typer.Option(help="Windows of each.")] = 5,
    compared: Annotated[int, typer.Option(help="Answers compared to the last bit.")] = 10_000,
    runtime: Annotated[str, typer.Option(help="Runtime of the predictor.")] = "onnx",
) -> None:
    """Prints what the gateway adds."""
    contents = [path.read_bytes() for path in sorted(photos.rglob("*.jp*g"))[:64]]
    with tempfile.TemporaryDirectory() as folder, started(bundle, Path(folder), runtime) as servers:
        typer.echo(
            f"predictor on CPUs {sorted(servers.cpus[0])}, gateway and load on {sorted(servers.cpus[1])}"
        )
        _large(servers, contents)  # first: later the process has memory to spare
        rate = _throughput(servers, contents, seconds, rounds)
        _latency(servers, contents, rate / 2, seconds, rounds)
        _batches(servers, contents, rounds)
        _equality(servers, contents, compared)


def _both(servers: Servers, contents: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    direct = [v2_request([content]) for content in contents]
    return direct, [gateway_request(content, servers.token) for content in contents]


def _throughput(servers: Servers, contents: list[bytes], seconds: float, rounds: int) -> float:
    """Photos a second of 8 clients, directly and through the gateway."""
    direct, through = _both(servers, contents)
    rates: dict[str, list[float]] = {"direct": [], "gateway": []}
    for _ in range(rounds):
        for name, port, requests in (
            ("direct", servers.predictor, direct),
            ("gateway", servers.gateway, through),
        ):
            window = run(port, requests, 8, seconds, lead=0.5)
            assert not window.broken and all(b" 200" in status for _, status, _ in window.answers)
            rates[name].append(len(window.latencies) / seconds)
    ratios = [b / a for a, b in zip(rates["direct"], rates["gateway"], strict=True)]
    typer.echo(
        f"photos/s, 8 clients: direct {median(rates['direct']):.0f}, gateway {median(rates['gateway']):.0f}, "
        f"ratio {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
    )
    return median(rates["direct"])


def _latency(servers: Servers, contents: list[bytes], rate: float, seconds: float, rounds: int) -> None:
    direct, through = _both(servers, contents)
    pairs = []
    for _ in range(rounds):
        a = run_paced(servers.predictor, direct, rate, seconds)
        b = run_paced(servers.gateway, through, rate, seconds)
        pairs.append((np.percentile(a, [50, 99]) * 1000, np.percentile(b, [50, 99]) * 1000))
    for column, name in enumerate(("p50", "p99")):
        before, after = (median(pair[side][column] for pair in pairs) for side in (0, 1))
        added = median(pair[1][column] - pair[0][column] for pair in pairs)
        typer.echo(
            f"{name} at {rate:.0f} requests/s: direct {before:.2f} ms, gateway {after:.2f} ms, "
            f"added {added:.2f} ms"
        )


def _batches(servers: Servers, contents: list[bytes], rounds: int) -> None:
    photos = (contents * _BATCH)[:_BATCH]
    direct, through = [v2_request(photos)], [gateway_batch(photos, servers.token)]
    ratios = []
    for _ in range(3 * rounds):
        a = median(run(servers.predictor, direct, 1, 1.0).latencies)
        b = median(run(servers.gateway, through, 1, 1.0).latencies)
        ratios.append(b / a)
    typer.echo(f"{_BATCH} photos in one call: {median(ratios):.3f} of one V2 batch's time")


def _large(servers: Servers, contents: list[bytes]) -> None:
    """Peak memory for the first large photo: later ones use again what the process then has."""
    pixels = np.random.default_rng(0).integers(0, 255, (_LARGE_SIDE, _LARGE_SIDE, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=0)
    photo = buffer.getvalue()
    run(servers.gateway, [gateway_request(contents[0], servers.token)], 1, 1.0)
    time.sleep(1)
    before = memory(servers.gateway_pid)
    reset_peak(servers.gateway_pid)
    window = run(servers.gateway, [gateway_request(photo, servers.token)], 1, 0.01)
    assert all(b" 200" in status for _, status, _ in window.answers), window.answers
    added = peak_memory(servers.gateway_pid) - before
    typer.echo(
        f"peak memory for a photo of {len(photo) / 2**20:.1f} MiB: {added / len(photo):.2f} times its size"
    )


def _equality(servers: Servers, contents: list[bytes], count: int) -> None:
    """One photo at a time: the predictor's last bits depend on which photos it runs together."""
    direct, through = _both(servers, contents)
    wanted = {}
    for index, _, body in run(servers.predictor, direct, 1, 2.0).answers:
        outputs = {output["name"]: output["data"] for output in json.loads(body)["outputs"]}
        wanted[index] = outputs["probabilities"]
    seen = different = 0
    while seen < count:
        for index, _, body in run(servers.gateway, through, 1, 5.0).answers:
            if index in wanted and seen < count:
                seen += 1
                different += list(json.loads(body)["probabilities"].values()) != wanted[index]
    typer.echo(f"{different} of {seen} answers differ")


if __name__ == "__main__":
    typer.run(main)
