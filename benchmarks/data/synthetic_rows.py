"""Rows of photos that do not exist: hashes and thumbnails, with near-duplicates planted among them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.ingest.photo_row import PhotoRow
from phytoflow.data.ingest.scan import THUMBNAIL_SIDE

_MOTIFS = 200  # photos of one data set resemble each other: their hashes scatter around this many
_CLASSES = 10
_FLIPPED = 0.2  # share of bits in which a photo's hash differs from its motif's
_NOISE = 3  # of 255: what compression changes in a pixel of a thumbnail


def make_rows(rows: int, planted: int, bits: int, seed: int = 0) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Makes rows as ``scan`` returns them, as far as near-duplicates are concerned.

    Args:
        rows: Number of rows, more than twice ``planted``.
        planted: Number of pairs that look the same.
        bits: A planted pair's hashes differ in 0 to so many bits.
        seed: Determines the rows.

    Returns:
        The table with ``phash`` and ``thumbnail``, and the planted pairs, int64 [planted, 2].
    """
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, _MOTIFS, dtype=np.uint64)[rng.integers(0, _MOTIFS, rows)]
    hashes ^= _pack(rng.random((rows, 64), np.float32) < _FLIPPED)
    pixels = rng.integers(0, 256, (rows, 3 * THUMBNAIL_SIDE**2), np.uint8)
    pairs = np.sort(rng.permutation(rows)[: 2 * planted].reshape(-1, 2), axis=1)
    first, second = pairs.T
    ranks = rng.random((planted, 64)).argsort(axis=1)  # the bits of a pair in random order
    hashes[second] = hashes[first] ^ _pack(ranks < rng.integers(0, bits + 1, planted)[:, None])
    noise = rng.integers(-_NOISE, _NOISE + 1, (planted, pixels.shape[1]))
    pixels[second] = np.clip(pixels[first] + noise, 0, 255)
    thumbnails = [row.tobytes() for row in pixels]
    return pd.DataFrame({"phash": [f"{each:016x}" for each in hashes], "thumbnail": thumbnails}), pairs


def make_table(rows: int, bits: int, planted_every: int = 100, seed: int = 0) -> pd.DataFrame:
    """Makes whole rows of ten classes, one planted near-duplicate in ``planted_every``.

    Args:
        rows: Number of rows.
        bits: As for ``make_rows``.
        planted_every: Rows for each planted pair.
        seed: Determines the rows.

    Returns:
        A table as ``scan`` returns it, sorted by path.
    """
    looks, _ = make_rows(rows, rows // planted_every, bits, seed)
    digests = np.random.default_rng(seed + 1).bytes(32 * rows).hex()
    labels = [f"class-{number * _CLASSES // rows}" for number in range(rows)]
    paths = [f"{label}/{number:07d}.jpg" for number, label in enumerate(labels)]
    photo = PhotoRow("", "", "", "", format="JPEG", width=640, height=480, bytes=60_000, brightness=0.5)
    table = pd.DataFrame({name: [value] * rows for name, value in vars(photo).items()})
    return table.assign(
        path=paths,
        label=labels,
        file=[f"/photos/{path}" for path in paths],
        sha256=[digests[64 * number : 64 * number + 64] for number in range(rows)],
        phash=looks["phash"],
        thumbnail=looks["thumbnail"],
    )


def _pack(bits: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Bool [N, 64] to uint64 [N]."""
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]
