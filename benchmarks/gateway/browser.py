"""`python -m benchmarks.gateway.browser BUNDLE`: from choosing a photo to its answer on the screen.

Debian's Chromium opens the console's page Identify. The predictor and the gateway have half of
the CPUs each, the browser has all of them.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.gateway.servers import Servers, started
from serving.gateway.auth.local_issuer import LocalIssuer

_SIDE = (4000, 3000)  # pixels of a phone's photo
_ARGUMENTS = ["--no-sandbox", "--disable-gpu"]
# The clock runs in the page: from the event that people cause to the frame after the answer is in the page.
_CLOCK = """() => {
  window.times = [];
  document.addEventListener("change", () => { window.chosen = performance.now(); }, true);
  new MutationObserver((changes) => {
    const nodes = changes.flatMap((change) => [...change.addedNodes]);
    if (!nodes.some((node) => node.querySelector?.(".feedback"))) return;
    requestAnimationFrame(() => setTimeout(() => window.times.push(performance.now() - window.chosen)));
  }).observe(document.getElementById("results"), { childList: true });
}"""


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    megabytes: Annotated[float, typer.Option(help="Size of each photo.")] = 4.0,
    count: Annotated[int, typer.Option(help="Photos that are timed.")] = 40,
    runtime: Annotated[str, typer.Option(help="Runtime of the predictor.")] = "onnx",
) -> None:
    """Prints percentiles of the time."""
    program = shutil.which("chromium")
    if program is None:
        raise typer.BadParameter("no chromium on PATH (Debian: apt-get install chromium)")
    cpus = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = [_make_photo(folder, number, int(megabytes * 1e6)) for number in range(count + 3)]
        with (
            started(bundle, folder, runtime, policy="feedback") as servers,
            sync_playwright() as playwright,
        ):
            os.sched_setaffinity(0, cpus)
            browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
            page = browser.new_page()
            _sign_in(page, servers, folder / "gateway")
            times = _time(page, photos)[3:]  # the first ones warm everything up
            browser.close()
    sizes = f"{megabytes:g} MB, {_SIDE[0]} x {_SIDE[1]} pixels"
    p50, p95 = np.percentile(times, [50, 95])
    typer.echo(
        f"{len(times)} photos of {sizes}: p50 {p50:.0f} ms, p95 {p95:.0f} ms, slowest {max(times):.0f} ms"
    )


def _sign_in(page: Page, servers: Servers, directory: Path) -> None:
    code = LocalIssuer.open(directory).one_time_code("benchmark", ["predict", "feedback"])
    page.goto(f"http://127.0.0.1:{servers.gateway}/sign-in/link?code={code}")
    page.wait_for_selector("#files")
    page.evaluate(_CLOCK)


def _time(page: Page, photos: list[Path]) -> list[float]:
    """Milliseconds of each photo."""
    for number, photo in enumerate(photos):
        page.set_input_files("#files", str(photo))
        page.wait_for_function("count => window.times.length > count", arg=number)
    return [float(value) for value in page.evaluate("window.times")]


def _make_photo(folder: Path, number: int, size: int) -> Path:
    """A photo whose noise makes it just as large as wanted, padded behind the picture."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(40, 200, (_SIDE[1] // 100, _SIDE[0] // 100, 3), np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize(_SIDE, Image.Resampling.BICUBIC), np.int16)
    noise = rng.integers(-12, 13, (_SIDE[1], _SIDE[0], 1), np.int16)
    image = Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8))
    for quality in range(92, 20, -4):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= size:
            break
    path = folder / f"{number}.jpg"
    path.write_bytes(buffer.getvalue().ljust(size, b"\0"))
    return path


if __name__ == "__main__":
    typer.run(main)
