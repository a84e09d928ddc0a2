"""Pairs of 64-bit hashes within a Hamming distance: all pairs compared, or found by multi-index hashing.

Comparing all pairs of a million hashes takes 5e11 comparisons. Multi-index hashing (Norouzi 2012) cuts each
hash into four parts of 16 bits. If two hashes differ in at most r = 4q + a bits, then one of their first
a + 1 parts differs in at most q bits, or one of the others in at most q - 1. The rows are therefore sorted by
each part in turn, and only rows whose parts are that close are compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512  # rows compared with all later ones at a time: 50,000 photos then take 200 MB
_PARTS, _KEYS = 4, 1 << 16  # parts of a hash, and values of a part
_INDEX_FROM = 4000  # rows; below, comparing all pairs is faster
_INDEX_UP_TO = 16  # bits; beyond, most rows are candidates and comparing all pairs is faster
_CANDIDATES = 1 << 18  # pairs compared at a time; more no longer fit into a CPU's cache

Hashes = NDArray[np.uint64]
Pairs = NDArray[np.int64]


def close_hashes(hashes: Hashes, bits: int) -> Iterator[Pairs]:
    """Yields the pairs of hashes that differ in at most ``bits`` bits, each pair once.

    Args:
        hashes: uint64 [N].
        bits: Largest Hamming distance, 0 to 64.

    Yields:
        Blocks of pairs, int64 [P, 2]: rows, the first smaller than the second. Their order is not defined.
    """
    indexed = len(hashes) >= _INDEX_FROM and bits <= _INDEX_UP_TO
    return search_index(hashes, bits) if indexed else compare_all(hashes, bits)


def compare_all(hashes: Hashes, bits: int) -> Iterator[Pairs]:
    """Compares every hash with all later ones; see ``close_hashes``."""
    for start in range(0, len(hashes), _CHUNK):
        block = hashes[start : start + _CHUNK]
        distance = np.bitwise_count(block[:, None] ^ hashes[None, start:])
        first, second = np.nonzero(distance <= bits)
        later = second > first
        yield np.stack([first[later], second[later]], axis=1).astype(np.int64) + start


def search_index(hashes: Hashes, bits: int) -> Iterator[Pairs]:
    """Compares only hashes of which one part is close; see ``close_hashes``."""
    radii = _radii(bits)
    for part, radius in enumerate(radii):
        order = np.argsort(_parts(hashes)[:, part], kind="stable")
        ordered = hashes[order]
        for first, second in _candidates(_parts(ordered)[:, part], radius):
            difference = ordered[first] ^ ordered[second]
            close = np.nonzero(np.bitwise_count(difference) <= bits)[0]
            close = close[~_found_before(difference[close], radii[:part])]
            yield np.sort(np.stack([order[first[close]], order[second[close]]], axis=1), axis=1)


def _radii(bits: int) -> list[int]:
    """How many bits may differ in each part; -1: the part need not be searched."""
    each, more = divmod(bits, _PARTS)
    return [each] * (more + 1) + [each - 1] * (_PARTS - more - 1)


def _parts(hashes: Hashes) -> NDArray[np.uint16]:
    """The parts of each hash, uint16 [N, 4]."""
    return hashes.view(np.uint16).reshape(-1, _PARTS)


def _found_before(difference: Hashes, radii: list[int]) -> NDArray[np.bool_]:
    """Whether a pair, by the bits in which it differs, was found by one of the parts before."""
    distance = np.bitwise_count(_parts(difference))[:, : len(radii)]
    close: NDArray[np.bool_] = distance <= np.array(radii, np.int64)
    return np.any(close, axis=1)


def _candidates(keys: NDArray[np.uint16], radius: int) -> Iterator[tuple[Pairs, Pairs]]:
    """Yields the positions of all pairs of keys that differ in at most ``radius`` bits, in blocks.

    Args:
        keys: Sorted, uint16 [N].
        radius: Largest Hamming distance of two keys.
    """
    ends = np.searchsorted(keys, np.arange(_KEYS), side="right")
    positions = np.arange(len(keys))
    masks = np.arange(_KEYS, dtype=np.uint16)
    for mask in masks[np.bitwise_count(masks) <= radius]:
        others = keys ^ mask
        if mask:
            first = positions[keys < others]  # each pair of keys once
            other = others[first].astype(np.int64)
            yield from _expand(first, ends[other - 1], ends[other])
        else:
            yield from _expand(positions, positions + 1, ends[keys])


def _expand(first: Pairs, begin: Pairs, end: Pairs) -> Iterator[tuple[Pairs, Pairs]]:
    """Yields each position with each of its range ``begin`` to ``end``, in blocks of about equal size."""
    counts = end - begin
    total = np.cumsum(counts)
    blocks = np.arange(0, total[-1] if len(total) else 0, _CANDIDATES)
    cuts = np.unique([*np.searchsorted(total, blocks, side="left"), len(first)])
    for start, stop in itertools.pairwise(cuts):
        count = counts[start:stop]
        shift = begin[start:stop] - (np.cumsum(count) - count)
        yield np.repeat(first[start:stop], count), np.arange(count.sum()) + np.repeat(shift, count)
