"""`python -m benchmarks.serving`: the predictor against what a user would pick instead.

Same model, same photos, same preprocessing, float32, same CPUs. Each framework runs in its documented set-up
with TorchScript (FastAPI: the eager model, as its tutorials have it), and once more handed our runtime with a
process of one thread for each CPU. Two bounds stand beside them: the work alone, without a server, and a bare
loop that does it over HTTP in one process and nothing else. Every answer is compared with the offline
probabilities. All are measured in turn, several rounds of them, and figures are medians over the rounds: a
machine that others use is fast now and slow then. What has been measured is kept in the output folder; delete
a file under `rows` to measure it again.
"""

from __future__ import annotations

import platform
import signal
import sys
from pathlib import Path
from typing import Annotated

import psutil
import typer
from pydantic import TypeAdapter

from benchmarks.serving.bound import Limit, best, bound
from benchmarks.serving.bundle import prepare
from benchmarks.serving.catalogue import BARE, OURS, PEERS, Peer
from benchmarks.serving.environments import UnavailableError
from benchmarks.serving.measure import Asking
from benchmarks.serving.servers import running
from benchmarks.serving.table import CONCURRENCIES, Result, table, together
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.cpus import cpu_count
from phytoflow.storage.atomic import atomic_file

_LIMITS = TypeAdapter(list[Limit])
_NAMES = ",".join(["ours", "bound", *(peer.name.lower() for peer in (BARE, *PEERS))])


def main(
    peers: Annotated[
        str, typer.Option(help="Who is measured now; the rest is as the folder has it.")
    ] = _NAMES,
    seconds: Annotated[float, typer.Option(min=1, help="Length of a window.")] = 6,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of all servers, a window of each.")] = 3,
    patience: Annotated[int, typer.Option(min=0, help="Windows repeated where others took the CPU.")] = 2,
    output: Annotated[Path, typer.Option(help="Bundle, environments, logs and rows.")] = Path("out/serving"),
    photos: Annotated[
        Path | None, typer.Option(help="Class folders of JPEGs; default: drawn leaves.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Markdown file that gets the table too.")] = None,
    runtime: Annotated[str, typer.Option(help="Ours and the handed one: openvino or onnx.")] = "openvino",
) -> None:
    """Measures what is not yet measured, and prints the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are ended on the way out
    output = output.resolve()
    (output / "rows").mkdir(parents=True, exist_ok=True)
    folder, found = prepare(output, photos)
    contents, wanted = [photo.content for photo in found], peers.lower().split(",")
    expected = Classifier.load(folder, "onnx").predict(contents).probabilities
    ask = Asking(contents, expected, seconds, patience)
    taken, limits = [], []
    for number in range(rounds):
        taken.append([_result(*setup, wanted, number, output, ask) for setup in _setups(runtime)])
        limits += _limits(output, runtime, contents, seconds, number, wanted=wanted)
    setups = ([result for result in each if result] for each in zip(*taken, strict=True))
    results = [together(each) for each in setups if each]
    text = f"{_title(contents)}\n{table(results, best(limits))}\n"
    print(text)
    if page:
        _keep(page, f"# The predictor against other servers\n\n`python -m benchmarks.serving`: {text}")


def _setups(runtime: str) -> list[tuple[Peer, str, str, int]]:
    documented = [(peer, "documented", peer.form, 1) for peer in PEERS]
    handed = [(peer, "handed", runtime, cpu_count()) for peer in PEERS]
    return [*documented, *handed, (BARE, "one process", runtime, 1), (OURS, "own", runtime, 1)]


def _result(
    peer: Peer,
    setup: str,
    form: str,
    workers: int,
    wanted: list[str],
    number: int,
    output: Path,
    ask: Asking,
) -> Result | None:
    """Of one round: as the folder has it, else measured if it is wanted."""
    file = output / "rows" / f"{peer.name.lower()}-{setup}-{number}.json"
    if not _kept(file) and ("ours" if peer is OURS else peer.name.lower()) in wanted:
        result = Result(name=peer.name, setup=setup, form=form)
        _measure_into(result, peer, workers, output, ask)
        _keep(file, result.model_dump_json(indent=1))
    return Result.model_validate_json(file.read_text()) if file.exists() else None


def _limits(
    output: Path, runtime: str, contents: list[bytes], seconds: float, number: int, *, wanted: list[str]
) -> list[list[Limit]]:
    """The bound in one round, one limit a size of batch; nothing where it is neither there nor wanted."""
    file = output / "rows" / f"bound-{number}.json"
    if not _kept(file) and "bound" in wanted:
        found = bound(output, runtime, contents, cpu_count(), seconds)
        _keep(file, _LIMITS.dump_json(found, indent=1).decode())
    return [_LIMITS.validate_json(file.read_text())] if file.exists() else []


def _measure_into(result: Result, peer: Peer, workers: int, output: Path, ask: Asking) -> None:
    """All or nothing: a server that cannot be had, or dies, is no reason to lose the others."""
    rows = {}
    try:
        with running(peer, result.form, workers, output) as server:
            result.first = ask.first(peer, server)
            for concurrency in CONCURRENCIES:
                rows[concurrency] = ask.measured(peer, server, concurrency)
                typer.echo(f"{peer.name} {result.setup}: {rows[concurrency]}", err=True)
        result.rows = rows
    except (UnavailableError, OSError, ValueError, psutil.Error) as error:
        result.why = str(error) or type(error).__name__


def _kept(file: Path) -> bool:
    """Whether an earlier run has measured it, perhaps of other code; says so."""
    if file.exists():
        typer.echo(f"{file.stem}: as {file} has it; remove it to measure again", err=True)
    return file.exists()


def _keep(file: Path, text: str) -> None:
    with atomic_file(file) as aside:
        aside.write_text(text)


def _title(contents: list[bytes]) -> str:
    size = sum(map(len, contents)) / len(contents) / 1024
    what = f"{len(contents)} JPEGs of {size:.0f} KB on average"
    return f"{cpu_count()} CPUs ({platform.machine()}); tf_efficientnet_lite0, float32; {what}\n"


if __name__ == "__main__":
    typer.run(main)
