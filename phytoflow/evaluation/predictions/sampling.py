"""Bounded samples of the photos that stream by, for measurements that need some of them again."""

from __future__ import annotations

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto

_MAX_TIMED_BYTES = 64 * 2**20  # large photos would otherwise fill the memory


class LatencySample:
    """Keeps the first photos, to be timed.

    Args:
        size: Maximum number of photos; fewer are kept if they are large.

    Attributes:
        contents: The encoded photos.
    """

    def __init__(self, size: int) -> None:
        self.contents: list[bytes] = []
        self._size = size
        self._bytes = 0

    def observe(self, content: bytes) -> None:
        """Takes note of one encoded photo."""
        if len(self.contents) < self._size and self._bytes < _MAX_TIMED_BYTES:
            self.contents.append(content)
            self._bytes += len(content)


class ReservoirSample:
    """Keeps a uniform random sample of a stream (Vitter 1985, algorithm R).

    Args:
        size: Number of photos kept; 0 keeps none.
        seed: Seed of the sample.

    Attributes:
        photos: The photos kept so far.
    """

    def __init__(self, size: int, seed: int) -> None:
        self.photos: list[LabelledPhoto] = []
        self._size, self._observed, self._generator = size, 0, np.random.default_rng(seed)

    def observe(self, photo: LabelledPhoto) -> None:
        """Takes note of one photo."""
        self._observed += 1
        if len(self.photos) < self._size:
            self.photos.append(photo)
        elif self._size and (place := int(self._generator.integers(self._observed))) < self._size:
            self.photos[place] = photo
