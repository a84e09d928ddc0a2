"""Measures what decoding a photo costs, and prints a table.

``python -m benchmarks.decoding time`` compares the decoder's versions photo by photo, in turns;
``python -m benchmarks.decoding memory`` decodes one photo of 108 megapixels of each format in a process of
its own and reports the peak of its resident memory.
"""

from __future__ import annotations

import importlib.util
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from PIL import Image

from benchmarks.decoding.photos import large_photos, small_photos
from phytoflow.data.images.decode import decode

SIZE_HINT = 256  # of a network of 224 pixels
LARGE = (12_000, 9_000)
app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Decode = Callable[[bytes], Image.Image]


@app.command(name="time")
def measure_time(
    rounds: Annotated[int, typer.Option(help="How often each photo is decoded by each.")] = 300,
    against: Annotated[Path | None, typer.Option(help="A decode.py of another commit, compared too.")] = None,
) -> None:
    """Compares the versions of the decoder."""
    decoders: dict[str, Decode] = {
        "version 1": lambda content: decode(content, size_hint=SIZE_HINT, version=1),
        "version 2": lambda content: decode(content, size_hint=SIZE_HINT),
    }
    if against:
        decoders = {"the other": _load(against), **decoders}
    print("| photo | " + " | ".join(f"{name}, ms" for name in decoders) + " | last to first |")
    print("|---|" + "---:|" * (len(decoders) + 1))
    for kind, content in small_photos().items():
        times = _time_in_turns(list(decoders.values()), content, rounds)
        medians = [statistics.median(each) * 1000 for each in times]
        ratio = statistics.median(new / old for old, new in zip(times[0], times[-1], strict=True))
        print(f"| {kind} | " + " | ".join(f"{ms:.3f}" for ms in medians) + f" | {ratio:.3f} |", flush=True)


@app.command(name="memory")
def measure_memory() -> None:
    """Reports the peak memory of decoding 108 megapixels."""
    print(f"| {LARGE[0]} x {LARGE[1]} pixels | file, MB | peak, MB | bytes a pixel | seconds |")
    print("|---|---:|---:|---:|---:|")
    for kind, content in large_photos(LARGE):
        command = [sys.executable, "-m", "benchmarks.decoding", "one"]
        done = subprocess.run(command, input=content, capture_output=True, check=True)
        before, peak, seconds = map(float, done.stdout.split())
        needed = peak - before
        each = needed * 1e6 / (LARGE[0] * LARGE[1])
        row = f"{len(content) / 1e6:.1f} | {needed:.0f} | {each:.1f} | {seconds:.1f}"
        print(f"| {kind} | {row} |", flush=True)


@app.command(name="one", hidden=True)
def decode_one() -> None:
    """Decodes the photo on standard input; prints memory before and at its peak, in MB, and seconds."""
    from phytoflow.data.images.limits import ACCEPTED

    content = sys.stdin.buffer.read()
    decode(_tiny(), size_hint=8)  # what decoding anything at all loads
    before, start = _resident("VmRSS"), time.perf_counter()
    decode(content, ACCEPTED, size_hint=SIZE_HINT)
    print(before, _resident("VmHWM"), time.perf_counter() - start)


def _time_in_turns(decoders: list[Decode], content: bytes, rounds: int) -> list[list[float]]:
    """Seconds of each decoder [rounds]; the first rounds warm up and do not count."""
    times: list[list[float]] = [[] for _ in decoders]
    for number in range(rounds + 5):
        for decoder, each in zip(decoders, times, strict=True):
            start = time.perf_counter()
            decoder(content)
            if number >= 5:
                each.append(time.perf_counter() - start)
    return times


def _load(file: Path) -> Decode:
    spec = importlib.util.spec_from_file_location("other_decoder", file)
    assert spec and spec.loader
    module: Any = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return lambda content: module.decode(content, size_hint=SIZE_HINT)


def _tiny() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def _resident(field: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    app()
