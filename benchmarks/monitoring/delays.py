"""Photos until the alarm, for streams that are shifted from their first photo on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.monitoring.false_alarms import first_alarm
from benchmarks.monitoring.outputs import OTHERS, HeldOut
from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.reference import Reference

_LENGTH = 500  # photos of a stream; drawn with replacement where fewer are at hand


def table(held_out: HeldOut, trials: int) -> Iterator[str]:
    """Median number of photos until the alarm, and the middle half of the trials: a Markdown table."""
    yield "| Stream | Photos until the alarm, median | Middle half | Alarms |"
    yield "|---|---|---|---|"
    for name in stream_names(held_out):
        delays = [_delay(held_out, name, np.random.default_rng(seed)) for seed in range(trials)]
        low, median, high = np.quantile(delays, [0.25, 0.5, 0.75], method="higher")
        alarms = int(np.isfinite(delays).sum())
        yield f"| {name} | {_text(median)} | {_text(low)} to {_text(high)} | {alarms} of {trials} |"


def stream_names(held_out: HeldOut) -> list[str]:
    """Names of the shifted streams."""
    return [*(name for name in held_out.shifted if name != "clean"), "30% other plants", "label shift"]


def stream_of(held_out: HeldOut, name: str, generator: np.random.Generator) -> tuple[Reference, Observations]:
    """A reference, and a stream of photos of other groups under a shift."""
    order = generator.permutation(np.unique(held_out.clean.groups))
    inside = np.isin(held_out.clean.groups, order[: len(order) // 2])
    rows = np.flatnonzero(~inside)
    others = held_out.shifted[OTHERS]
    reference = held_out.clean.select(np.flatnonzero(inside))
    if name == OTHERS:
        return reference, others.select(_draw(np.arange(len(others)), generator))
    if name == "label shift":
        return reference, held_out.clean.observations.select(_reversed_classes(held_out, rows, generator))
    if name == "30% other plants":
        mixed = Observations.concatenate([held_out.clean.observations, others])
        from_others = generator.random(_LENGTH) < 0.3
        foreign = len(held_out.clean) + generator.integers(0, len(others), _LENGTH)
        return reference, mixed.select(np.where(from_others, foreign, _draw(rows, generator)))
    return reference, held_out.shifted[name].select(_draw(rows, generator))


def _draw(rows: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    """Random order, each row once before any is drawn again."""
    rounds = -(-_LENGTH // len(rows))
    return np.concatenate([generator.permutation(rows) for _ in range(rounds)])[:_LENGTH]


def _reversed_classes(
    held_out: HeldOut, rows: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """The commonest class becomes as rare as the rarest was, and so on."""
    true = held_out.clean.true[rows]
    counts = np.bincount(true, minlength=len(held_out.clean.classes)).astype(float)
    wanted = np.empty_like(counts)
    wanted[np.argsort(counts)] = np.sort(counts)[::-1]
    weights = (wanted / np.maximum(counts, 1))[true]
    drawn: NDArray[np.int64] = generator.choice(rows, _LENGTH, p=weights / weights.sum())
    return drawn


def _delay(held_out: HeldOut, name: str, generator: np.random.Generator) -> float:
    alarm = first_alarm(*stream_of(held_out, name, generator))
    return np.inf if alarm is None else alarm


def _text(photos: float) -> str:
    return f"{photos:.0f}" if np.isfinite(photos) else f"over {_LENGTH}"
