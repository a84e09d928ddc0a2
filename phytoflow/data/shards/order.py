"""The order in which an epoch reads photos: mixed, but from few shards at a time."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.shards.format import ShardEntry

OPEN_SHARDS = 4  # per process; bounds open files, and what a remote dataset must have in its cache


def epoch_order(counts: list[int], seeds: tuple[int, ...] | None) -> NDArray[np.int64]:
    """Returns the order in which photos are read: int64 [N], positions in file order.

    Shards are permuted, then the photos within each ``OPEN_SHARDS`` neighbouring shards, so that few files
    are open at a time.

    Args:
        counts: Photos in each shard.
        seeds: Determine the order; None: file order.
    """
    starts = [0, *accumulate(counts)]
    if seeds is None:
        return np.arange(starts[-1])
    generator = np.random.default_rng(seeds)
    mixed = [
        generator.permutation(np.concatenate([np.arange(starts[s], starts[s + 1]) for s in window]))
        for window in _windows(len(counts), generator)
    ]
    return np.concatenate(mixed) if mixed else np.arange(0)


def _windows(shards: int, generator: np.random.Generator | None) -> list[NDArray[np.int64]]:
    """Positions of the shards that are read at the same time, in the order of reading."""
    order = np.arange(shards) if generator is None else generator.permutation(shards)
    return [order[start : start + OPEN_SHARDS] for start in range(0, shards, OPEN_SHARDS)]


def upcoming_shards(shards: list[ShardEntry], seeds: tuple[int, ...] | None) -> dict[str, list[ShardEntry]]:
    """By file name of a shard: those that are read with it or right after, in the order of reading."""
    generator = None if seeds is None else np.random.default_rng(seeds)
    windows = [[shards[at] for at in window] for window in _windows(len(shards), generator)]
    soon = [[*window, *following] for window, following in zip(windows, [*windows[1:], []], strict=True)]
    return {shard.file: each for window, each in zip(windows, soon, strict=True) for shard in window}
