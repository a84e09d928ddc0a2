"""A few of all the photos that stream by, kept for what looks at them later."""

from __future__ import annotations

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto

_MOST_TIMED_BYTES = 64 * 2**20


class FirstPhotos:
    """Keeps the first photos to be timed, as far as memory allows."""

    def __init__(self, most: int) -> None:
        self.contents: list[bytes] = []
        self._most = most
        self._bytes = 0

    def __call__(self, content: bytes) -> None:
        """Looks at one photo's bytes."""
        if len(self.contents) < self._most and self._bytes < _MOST_TIMED_BYTES:
            self.contents.append(content)
            self._bytes += len(content)


class RandomPhotos:
    """Keeps so many photos of all that go by, each with the same chance (Vitter 1985, algorithm R)."""

    def __init__(self, most: int, seed: int) -> None:
        self.photos: list[LabelledPhoto] = []
        self._most, self._seen, self._generator = most, 0, np.random.default_rng(seed)

    def __call__(self, photo: LabelledPhoto) -> None:
        """Looks at one photo."""
        self._seen += 1
        if len(self.photos) < self._most:
            self.photos.append(photo)
        elif self._most and (at := int(self._generator.integers(self._seen))) < self._most:
            self.photos[at] = photo
