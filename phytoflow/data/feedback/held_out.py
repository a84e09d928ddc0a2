"""Photos that must never be trained on, because a model is judged by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class HeldOutPhotos:
    """The test photos of a model, by their hashes.

    Attributes:
        digests: SHA-256 of each file.
        hashes: uint64 [N], perceptual hash of each photo.
    """

    digests: frozenset[str]
    hashes: NDArray[np.uint64]

    @classmethod
    def of(cls, rows: Iterable[tuple[str, str]]) -> HeldOutPhotos:
        """From pairs of SHA-256 and perceptual hash, both in hexadecimal digits."""
        digests, hashes = zip(*rows, strict=True) if (rows := list(rows)) else ((), ())
        return cls(frozenset(digests), np.array([int(text, 16) for text in hashes], np.uint64))

    def resemble(self, phash: str, bits: int) -> bool:
        """Whether one of them looks like a photo.

        Perceptual hashes alone decide; they take a few photos of different things for the same. To lose such
        a photo for training costs less than to train on a test photo.

        Args:
            phash: The photo's 64-bit perceptual hash, 16 hexadecimal digits.
            bits: Largest Hamming distance.
        """
        return bool((np.bitwise_count(self.hashes ^ np.uint64(int(phash, 16))) <= bits).any())
