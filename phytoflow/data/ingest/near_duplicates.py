"""Photos that are the same picture: the same bytes, or nearly the same to the eye."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CHUNK = 512
_MIN_CORRELATION = 0.92
_MAX_DIFFERENCE = 4.0


def near_duplicates(table: pd.DataFrame, bits: int) -> NDArray[np.int64]:
    """Pairs of photos that look the same: saved again, resized, re-compressed, brightened, cropped a little.

    Perceptual hashes propose (Zauner 2010: Hamming distance of 64 bit DCT hashes), 16 x 16 colour
    thumbnails confirm. The hash alone sees only the coarse shape: of leaves cut out on black, every
    fifth pair within six bits shows two different leaves, and those chain whole classes into one group.

    Args:
        table: Usable photos with ``phash`` and ``thumbnail``.
        bits: Largest Hamming distance.

    Returns:
        int64 [P, 2], row positions, the first smaller than the second.
    """
    pairs = [_confirmed(table, pair) for pair in _close_hashes(table, bits)]
    return np.concatenate([np.empty((0, 2), np.int64), *pairs])


def _close_hashes(table: pd.DataFrame, bits: int) -> Iterator[NDArray[np.int64]]:
    """All pairs, a block of rows at a time: 50,000 photos are 1.25e9 XORs, a few seconds."""
    hashes = np.array([int(text, 16) for text in table["phash"]], dtype=np.uint64)
    for start in range(0, len(hashes), _CHUNK):
        block = hashes[start : start + _CHUNK]
        distance = np.bitwise_count(block[:, None] ^ hashes[None, start:])
        first, second = np.nonzero(distance <= bits)
        later = second > first
        yield np.stack([first[later], second[later]], axis=1).astype(np.int64) + start


def _confirmed(table: pd.DataFrame, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    alike = [_alike(table, pairs[start : start + 4096]) for start in range(0, len(pairs), 4096)]
    return pairs[np.concatenate([np.empty(0, bool), *alike])]


def _alike(table: pd.DataFrame, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Correlation ignores brightness and contrast; flat pictures have none and must be equal."""
    thumbnails = table["thumbnail"].to_numpy()
    one, two = (_pixels(thumbnails[pairs[:, side]]) for side in (0, 1))
    same = np.abs(one - two).mean(axis=1) <= _MAX_DIFFERENCE
    one, two = (pixels - pixels.mean(axis=1, keepdims=True) for pixels in (one, two))
    norm = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return same | ((one * two).sum(axis=1) > _MIN_CORRELATION * norm)


def _pixels(thumbnails: NDArray[np.object_]) -> NDArray[np.float32]:
    """float32 [N, 768] of N thumbnails."""
    return np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(thumbnails), -1).astype(np.float32)
