"""One round: every set-up once, and ours asked again right after each of its windows.

On a machine that others use too, minutes differ by more than servers do: a server is compared with what ours
did in the same seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil
import typer
from pydantic import BaseModel

from benchmarks.serving.environments import UnavailableError
from benchmarks.serving.measure import Asking, Row, median
from benchmarks.serving.registry import OURS, Peer
from benchmarks.serving.results import CONCURRENCIES, LOADED, Bound, Result
from benchmarks.serving.servers import Server, running
from benchmarks.serving.upper_bound import bound
from phytoflow.storage.atomic import atomic_file
from phytoflow.system.cpu import cpu_count

_Kept = TypeVar("_Kept", bound=BaseModel)


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        number: From 0.
        output: Folder of the bundle; what has been measured is kept in ``rounds`` in it.
        runtime: Ours.
        ask: What every server is asked.
        ours: Runs all through the round; idle, it costs the one that is asked nothing.
        wanted: Names of those measured if the folder does not have them.
    """

    number: int
    output: Path
    runtime: str
    ask: Asking
    ours: Server
    wanted: frozenset[str]

    def own(self) -> Result | None:
        """Ours, which has just been started."""
        file = self._file(f"{OURS.name}-own")
        if not _kept(file) and "ours" in self.wanted:
            first = self.ask.first(OURS, self.ours)
            result = Result(name=OURS.name, setup="own", form=self.runtime, first=first)
            _keep(file, result.model_copy(update={"rows": self._ours(CONCURRENCIES)}))
        return _read(file, Result)

    def result(self, peer: Peer, setup: str, form: str, workers: int) -> Result | None:
        """As the folder has it, else measured if it is wanted."""
        file = self._file(f"{peer.name.lower()}-{setup}")
        if not _kept(file) and peer.name.lower() in self.wanted:
            _keep(file, self._measured(peer, setup, form, workers))
        return _read(file, Result)

    def bound(self) -> Bound | None:
        """The bound, with a window of ours before it and one after it."""
        file = self._file("bound")
        if not _kept(file) and "bound" in self.wanted:
            before = self._ours(LOADED)
            limits = bound(self.output, self.runtime, list(self.ask.contents), cpu_count(), self.ask.seconds)
            after = self._ours(LOADED)
            ours = {c: median([before[c], after[c]]) for c in LOADED}
            _keep(file, Bound(limits=limits, ours=ours))
        return _read(file, Bound)

    def _measured(self, peer: Peer, setup: str, form: str, workers: int) -> Result:
        """All or nothing: a server that cannot be had, or dies, is no reason to lose the others."""
        result = Result(name=peer.name, setup=setup, form=form)
        rows: dict[int, Row] = {}
        ours: dict[int, Row] = {}
        try:
            with running(peer, form, workers, self.output) as server:
                first = self.ask.first(peer, server)
                for concurrency in CONCURRENCIES:
                    rows[concurrency] = self._asked(f"{peer.name} {setup}", peer, server, concurrency)
                    ours |= self._ours((concurrency,))
        except (UnavailableError, OSError, ValueError, psutil.Error) as error:
            if not self.ours.runs():
                raise
            return result.model_copy(update={"why": str(error) or type(error).__name__})
        return result.model_copy(update={"rows": rows, "ours": ours, "first": first})

    def _ours(self, clients: Iterable[int]) -> dict[int, Row]:
        return {c: self._asked(OURS.name, OURS, self.ours, c) for c in clients}

    def _asked(self, name: str, peer: Peer, server: Server, concurrency: int) -> Row:
        row = self.ask.measured(peer, server, concurrency)
        typer.echo(f"{name}: {row}", err=True)
        return row

    def _file(self, name: str) -> Path:
        return self.output / "rounds" / f"{name}-{self.number}.json"


def _kept(file: Path) -> bool:
    """Whether an earlier run has measured it, perhaps of other code; says so."""
    if file.exists():
        typer.echo(f"{file.stem}: as {file} has it; remove it to measure again", err=True)
    return file.exists()


def _keep(file: Path, measured: BaseModel) -> None:
    with atomic_file(file) as aside:
        aside.write_text(measured.model_dump_json(indent=1))


def _read(file: Path, kind: type[_Kept]) -> _Kept | None:
    return kind.model_validate_json(file.read_text()) if file.exists() else None
