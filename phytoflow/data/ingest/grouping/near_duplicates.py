"""Pairs of photos that are the same picture to the eye, though their bytes differ."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.ingest.grouping.close_hashes import close_hashes

_CONFIRMED_TOGETHER = 4096  # pairs whose thumbnails are in memory at a time
# Separates different leaves among the hash matches on PlantVillage's masked photos (see docs/decisions).
_MIN_CORRELATION = 0.92
_MAX_DIFFERENCE = 4.0  # mean difference, of 255, of two flat pictures that are the same


def near_duplicates(table: pd.DataFrame, bits: int) -> NDArray[np.int64]:
    """Finds pairs that look the same: saved again, resized, compressed, brightened or cropped a little.

    Perceptual hashes propose pairs (Zauner 2010: Hamming distance of 64-bit DCT hashes), and 16 x 16 colour
    thumbnails confirm them. The hash alone sees only the coarse shape: among leaves cut out on black, every
    fifth pair within six bits shows two different leaves, and such pairs chain whole classes into one group.

    Args:
        table: Usable photos with ``phash`` and ``thumbnail``.
        bits: Largest Hamming distance.

    Returns:
        int64 [P, 2], row positions, the first smaller than the second; sorted.
    """
    hashes = np.array([int(text, 16) for text in table["phash"]], dtype=np.uint64)
    confirmed = [_confirm(table, proposed) for proposed in close_hashes(hashes, bits)]
    pairs = np.concatenate([np.empty((0, 2), np.int64), *confirmed])
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _confirm(table: pd.DataFrame, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = range(0, len(pairs), _CONFIRMED_TOGETHER)
    alike = [_look_alike(table, pairs[start : start + _CONFIRMED_TOGETHER]) for start in starts]
    return pairs[np.concatenate([np.empty(0, bool), *alike])]


def _look_alike(table: pd.DataFrame, pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Compares thumbnails by correlation, which ignores brightness and contrast, or, if flat, by value."""
    thumbnails = table["thumbnail"].to_numpy()
    one, two = (_pixels(thumbnails[pairs[:, side]]) for side in (0, 1))
    same = np.abs(one - two).mean(axis=1) <= _MAX_DIFFERENCE
    one, two = (pixels - pixels.mean(axis=1, keepdims=True) for pixels in (one, two))
    norm = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return same | ((one * two).sum(axis=1) > _MIN_CORRELATION * norm)


def _pixels(thumbnails: NDArray[np.object_]) -> NDArray[np.float32]:
    """float32 [N, 768] of N thumbnails."""
    return np.frombuffer(b"".join(thumbnails), np.uint8).reshape(len(thumbnails), -1).astype(np.float32)
