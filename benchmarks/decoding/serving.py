"""`python -m benchmarks.decoding.serving BUNDLE`: the memory of a predictor that answers the largest photos.

Starts a predictor with its default limits, sends it photos of 108 megapixels and of 60 MiB at the same time,
in base64, and prints the peaks of its resident memory. ``deploy.memory`` must be above all of them.
"""

from __future__ import annotations

import http.client
import io
import json
import tempfile
from base64 import b64encode
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import numpy as np
import typer
from PIL import Image

from phytoflow.deploy.local.publisher import Published, publish, stop
from phytoflow.deploy.settings import ServingSettings

_NOISE_SIDE = 4600  # pixels; stored without compression it is a file of 61 MiB


def main(bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")]) -> None:
    """Print the peak memory of a predictor for the largest photos."""
    large, heavy = large_photo(), heavy_photo()
    loads = {
        "one photo of 108 megapixels": [large],
        "two at once": [large] * 2,
        "four at once": [large] * 4,
        "two, and two photos of 61 MiB": [large, heavy] * 2,
    }
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "predictor.json"
        server = publish(bundle, ServingSettings(runtime="onnx"), state, [])
        try:
            print("| requests | peak, MiB | answers |\n|---|---:|---|")
            print(f"| none | {resident(server.pid, 'VmRSS')} | |", flush=True)
            for name, photos in loads.items():
                forget_peak(server.pid)
                answers = send(server, photos)
                print(f"| {name} | {resident(server.pid, 'VmHWM')} | {answers} |", flush=True)
        finally:
            stop(state)


def send(server: Published, photos: Sequence[bytes]) -> str:
    """Sends photos at the same time, each in a request of its own; returns the statuses and their number."""
    with ThreadPoolExecutor(len(photos)) as pool:
        statuses = Counter(pool.map(lambda photo: _post(server, photo), photos))
    return ", ".join(f"{number} x {status}" for status, number in sorted(statuses.items(), key=str))


def large_photo() -> bytes:
    """A PNG of 12,000 x 9,000 pixels: of the formats without a lower limit the one that takes most memory."""
    rows = np.linspace(0, 255, 9000, dtype=np.uint8)[:, None]
    return _png(Image.fromarray(np.broadcast_to(rows, (9000, 12000))).convert("RGB"), compress_level=1)


def heavy_photo() -> bytes:
    """A PNG of noise, close to the largest file that is accepted."""
    noise = np.random.default_rng(0).integers(0, 256, (_NOISE_SIDE, _NOISE_SIDE, 3), dtype=np.uint8)
    return _png(Image.fromarray(noise), compress_level=0)


def resident(pid: int, field: str) -> int:
    """Resident memory of a process in MiB: ``VmRSS`` now, ``VmHWM`` at its peak."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) // 1024


def forget_peak(pid: int) -> None:
    """Makes the peak memory of a process that of now (proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _post(server: Published, photo: bytes) -> int | str:
    body = json.dumps({"instances": [{"b64": b64encode(photo).decode()}]})
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=600)
    try:
        connection.request("POST", f"/v1/models/{server.name}:predict", body)
        return connection.getresponse().status
    except OSError:  # beyond --max_in_flight_bytes a request is refused while its body is still being sent
        return "refused"
    finally:
        connection.close()


def _png(image: Image.Image, compress_level: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=compress_level)
    return buffer.getvalue()


if __name__ == "__main__":
    typer.run(main)
