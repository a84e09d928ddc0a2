"""`python -m benchmarks.serving`: the predictor against what a user would pick instead.

Same model, same photos, same preprocessing, float32, same CPUs. Each framework runs in its documented set-up
with TorchScript (FastAPI: the eager model, as its tutorials have it), and once more handed our runtime with a
process of one thread for each CPU. The table also has two bounds: the work alone, without a server, and a
bare loop that does it over HTTP in one process and nothing else. Every answer is compared with the offline
probabilities. All are measured in turn, several rounds of them, and figures are medians over the rounds: a
machine that others use is fast now and slow then. Ours is asked again right after each window of another, and
comparisons are of windows that stand side by side. What was measured is kept in the output folder; delete a
file under `rounds` to measure it again.
"""

from __future__ import annotations

import platform
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.serving.bundle import prepare
from benchmarks.serving.measure import Asking
from benchmarks.serving.registry import BARE, OURS, PEERS, Peer
from benchmarks.serving.rounds import Round
from benchmarks.serving.servers import running
from benchmarks.serving.table import table
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.atomic import atomic_file
from phytoflow.system.cpu import cpu_count

_NAMES = ",".join(["ours", "bound", *(peer.name.lower() for peer in (BARE, *PEERS))])


def main(
    peers: Annotated[
        str, typer.Option(help="Who is measured now; the rest is as the folder has it.")
    ] = _NAMES,
    seconds: Annotated[float, typer.Option(min=1, help="Length of a window.")] = 6,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of all servers, a window of each.")] = 3,
    patience: Annotated[int, typer.Option(min=0, help="Windows repeated where others took the CPU.")] = 2,
    output: Annotated[Path, typer.Option(help="Bundle, environments, logs and rounds.")] = Path(
        "out/serving"
    ),
    photos: Annotated[
        Path | None, typer.Option(help="Class folders of JPEGs; default: drawn leaves.")
    ] = None,
    page: Annotated[Path | None, typer.Option(help="Markdown file that gets the table too.")] = None,
    runtime: Annotated[str, typer.Option(help="Ours and the handed one: openvino or onnx.")] = "openvino",
) -> None:
    """Measures what is not yet measured, and prints the table."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are ended on the way out
    output, wanted = output.resolve(), _wanted(peers)
    (output / "rounds").mkdir(parents=True, exist_ok=True)
    folder, found = prepare(output, photos)
    contents = [photo.content for photo in found]
    expected = Classifier.load(folder, "onnx").predict(contents).probabilities
    ask = Asking(contents, expected, seconds, patience)
    taken, bounds = [], []
    for number in range(rounds):
        with running(OURS, runtime, 1, output) as ours:
            now = Round(number, output, runtime, ask, ours, wanted)
            own = now.own()  # first: it has just been started
            taken.append([*(now.result(*setup) for setup in _setups(runtime)), own])
            bounds.append(now.bound())
    servers = [[result for result in each if result] for each in zip(*taken, strict=True)]
    figures = table([each for each in servers if each], [each for each in bounds if each])
    text = f"{_title(contents)}\n{figures}\n"
    print(text)
    if page:
        with atomic_file(page) as aside:
            aside.write_text(
                f"# The predictor against other servers\n\n`python -m benchmarks.serving`: {text}"
            )


def _wanted(peers: str) -> frozenset[str]:
    names = frozenset(peers.lower().split(","))
    if unknown := sorted(names.difference(_NAMES.split(","))):
        raise typer.BadParameter(f"no server {unknown[0]!r}; there are {_NAMES.replace(',', ', ')}")
    return names


def _setups(runtime: str) -> list[tuple[Peer, str, str, int]]:
    documented = [(peer, "documented", peer.form, 1) for peer in PEERS]
    handed = [(peer, "handed", runtime, cpu_count()) for peer in PEERS]
    return [*documented, *handed, (BARE, "one process", runtime, 1)]


def _title(contents: list[bytes]) -> str:
    size = sum(map(len, contents)) / len(contents) / 1024
    what = f"{len(contents)} JPEGs of {size:.0f} KB on average"
    return f"{cpu_count()} CPUs ({platform.machine()}); tf_efficientnet_lite0, float32; {what}\n"


if __name__ == "__main__":
    typer.run(main)
