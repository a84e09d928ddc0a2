"""`python -m benchmarks.stack BUNDLE`: time of `phytoflow stack up` to a first answer, memory, and recovery.

Every service is killed in turn while predictions and tasks come in; none of them may be lost.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.stack.running import RunningStack, started

_MIB = 2**20
_REST_SECONDS = 20


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    without: Annotated[list[str] | None, typer.Option(help="Leave out a service; repeatable.")] = None,
    kill: Annotated[bool, typer.Option(help="Kill every service in turn.")] = True,
) -> None:
    """Prints a table."""
    photo = sorted((bundle / "probes").glob("*.*"))[0].read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with started(bundle, Path(folder) / "stack", tuple(without or ())) as stack:
            stack.predict(photo)
            stack.console()
            typer.echo(f"first answer and console:   {time.monotonic() - began:5.1f} s")
            stack.complete()
            typer.echo(f"every service up:           {time.monotonic() - began:5.1f} s")
            time.sleep(_REST_SECONDS)
            _print_memory(stack.memory())
            if kill:
                _kill_each(stack, photo)


def _print_memory(sizes: dict[str, int]) -> None:
    for name, size in sizes.items():
        typer.echo(f"memory at rest, {name:11} {size / _MIB:6.0f} MiB")
    typer.echo(f"memory at rest, all         {sum(sizes.values()) / _MIB:6.0f} MiB")


def _kill_each(stack: RunningStack, photo: bytes) -> None:
    for service in [name for name in stack.memory() if name != "supervisor"]:
        stack.predict(photo)
        stack.submit(photo)
        seconds = stack.kill(service)
        typer.echo(f"killed {service:11} up again {seconds:5.1f} s, lost: {len(stack.lost())}")


if __name__ == "__main__":
    typer.run(main)
