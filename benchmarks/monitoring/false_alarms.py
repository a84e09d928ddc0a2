"""Alarms on photos that are like the reference: there should be none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from phytoflow.monitoring.bets import place_bets
from phytoflow.monitoring.martingale import ALARM, LEVEL, Wealth, play
from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.reference import Reference

_PARTITIONS = 200
_LENGTH = 10_000  # photos of a simulated stream
_SIZES = (100, 300, 1000)  # photos of a reference


def table(clean: Reference, trials: int) -> Iterator[str]:
    """Share of streams with an alarm: a Markdown table.

    Args:
        clean: Held-out photos.
        trials: Number of simulated streams of each kind.
    """
    yield "| Streams | Photos in the reference | Photos in a stream | Streams | With an alarm |"
    yield "|---|---|---|---|---|"
    alarms, sizes = 0, []
    for seed in range(_PARTITIONS):
        known, stream = split_groups(clean, np.random.default_rng(seed))
        alarms += first_alarm(known, stream.observations) is not None
        sizes.append((len(known), len(stream)))
    reference, stream_size = np.mean(sizes, axis=0)
    yield (
        f"| Held-out photos, split at random by groups, each photo once | {reference:.0f} on average | "
        f"{stream_size:.0f} on average | {_PARTITIONS} | {alarms} |"
    )
    for size in _SIZES:
        alarms = sum(_simulate(clean, size, np.random.default_rng([size, seed])) for seed in range(trials))
        yield (
            f"| Drawn from one distribution, that of the held-out photos | {size} | {_LENGTH} | {trials} | "
            f"{alarms} |"
        )


def split_groups(clean: Reference, generator: np.random.Generator) -> tuple[Reference, Reference]:
    """A reference and a stream of other groups, half of the groups each, both in random order."""
    groups = generator.permutation(np.unique(clean.groups))
    inside = np.isin(clean.groups, groups[: len(groups) // 2])
    known, others = (generator.permutation(np.flatnonzero(rows)) for rows in (inside, ~inside))
    return clean.select(known), clean.select(others)


def first_alarm(reference: Reference, photos: Observations) -> int | None:
    """Number of the photo that raises the alarm, counted from 1; None if none does."""
    bets = place_bets(reference, LEVEL)
    _, totals = play(bets, Wealth.start(bets), photos)
    return int((totals >= ALARM).argmax()) + 1 if totals.max() >= ALARM else None


def _simulate(clean: Reference, size: int, generator: np.random.Generator) -> bool:
    known: NDArray[np.int64] = generator.integers(0, len(clean), size)
    reference = clean.select(known)
    independent = Reference(reference.observations, reference.true, np.arange(size), clean.classes)
    stream = clean.observations.select(generator.integers(0, len(clean), _LENGTH))
    return first_alarm(independent, stream) is not None
