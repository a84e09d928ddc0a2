"""`python -m benchmarks.serving`: the predictor against what a user would pick instead.

Same model, same photos, same preprocessing, float32, same CPUs. Each framework runs in its documented set-up
with TorchScript (FastAPI: the eager model, as its tutorials have it), and once more handed our runtime with a
process of one thread for each CPU. Every answer is compared with the offline probabilities. What has been
measured is kept in the output folder; delete a file under `rows` to measure it again.
"""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.serving.bound import bound
from benchmarks.serving.bundle import prepare
from benchmarks.serving.catalogue import OURS, PEERS, Peer
from benchmarks.serving.environments import UnavailableError
from benchmarks.serving.measure import measure
from benchmarks.serving.servers import running
from benchmarks.serving.table import CONCURRENCIES, Result, table
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.cpus import cpu_count
from phytoflow.storage.atomic import atomic_file

_NAMES = ",".join(["ours", "bound", *(peer.name.lower() for peer in PEERS)])


def main(
    peers: Annotated[
        str, typer.Option(help="Who is measured now; the rest is as the folder has it.")
    ] = _NAMES,
    seconds: Annotated[float, typer.Option(min=1, help="Length of a window.")] = 6,
    repeats: Annotated[int, typer.Option(min=1, help="Windows behind a median.")] = 3,
    output: Annotated[Path, typer.Option(help="Bundle, environments, logs and rows.")] = Path("out/serving"),
    photos: Annotated[
        Path | None, typer.Option(help="Class folders of JPEGs; default: drawn leaves.")
    ] = None,
    runtime: Annotated[str, typer.Option(help="Ours and the handed one: openvino or onnx.")] = "openvino",
) -> None:
    """Measures what is not yet measured, and prints the table."""
    output = output.resolve()
    (output / "rows").mkdir(parents=True, exist_ok=True)
    folder, found = prepare(output, photos)
    contents, wanted = [photo.content for photo in found], peers.lower().split(",")
    expected = Classifier.load(folder, "onnx").predict(contents).probabilities
    results = []
    for peer, setup, form, workers in _setups(runtime):
        file = output / "rows" / f"{peer.name.lower()}-{setup}.json"
        if not file.exists() and ("ours" if peer is OURS else peer.name.lower()) in wanted:
            result = _measured(peer, setup, form, workers, output, contents, expected, seconds, repeats)
            _keep(file, result.model_dump_json(indent=1))
        if file.exists():
            results.append(Result.model_validate_json(file.read_text()))
    file = output / "rows" / "bound.json"
    if not file.exists() and "bound" in wanted:
        rates = [bound(output, runtime, contents, cpu_count(), seconds) for _ in range(repeats)]
        _keep(file, json.dumps({size: float(np.median([r[size] for r in rates])) for size in rates[0]}))
    print(_title(contents, seconds, repeats))
    limits = {int(size): rate for size, rate in json.loads(file.read_text()).items()} if file.exists() else {}
    print(table(results, limits))


def _setups(runtime: str) -> list[tuple[Peer, str, str, int]]:
    documented = [(peer, "documented", peer.form, 1) for peer in PEERS]
    handed = [(peer, "handed", runtime, cpu_count()) for peer in PEERS]
    return [*documented, *handed, (OURS, "own", runtime, 1)]


def _measured(
    peer: Peer,
    setup: str,
    form: str,
    workers: int,
    output: Path,
    contents: list[bytes],
    expected: np.ndarray,
    seconds: float,
    repeats: int,
) -> Result:
    result = Result(name=peer.name, setup=setup, form=form)
    try:
        with running(peer, form, workers, output) as server:
            for concurrency in CONCURRENCIES:
                row = measure(peer, server, contents, expected, concurrency, seconds, repeats)
                typer.echo(f"{peer.name} {setup}: {row}", err=True)
                result.rows[concurrency] = row
    except UnavailableError as error:
        result.why = str(error)
    return result


def _keep(file: Path, text: str) -> None:
    with atomic_file(file) as aside:
        aside.write_text(text)


def _title(contents: list[bytes], seconds: float, repeats: int) -> str:
    size = sum(map(len, contents)) / len(contents) / 1024
    what = f"{len(contents)} JPEGs of {size:.0f} KB on average; medians of {repeats} windows of {seconds:g} s"
    return f"{cpu_count()} CPUs ({platform.machine()}); tf_efficientnet_lite0, float32; {what}\n"


if __name__ == "__main__":
    typer.run(main)
