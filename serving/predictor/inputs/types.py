"""Photos as they arrive, and the limits on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.limits import Limits
from serving.predictor.errors import malformed, too_large

Photo = bytes | NDArray[np.uint8] | NDArray[np.float32]
"""An encoded file; or decoded uint8 [H, W, 3]; or preprocessed float32 [3, size, size]."""


def size_of(photo: Photo) -> int:
    """Bytes, as it came."""
    return len(photo) if isinstance(photo, bytes) else photo.nbytes


@dataclass(frozen=True)
class Bounds:
    """What a request may hold.

    Attributes:
        photos: Most photos.
        limits: Of each photo.
        size: Side of the network's input, pixels.
    """

    photos: int
    limits: Limits
    size: int

    def check_count(self, count: int) -> None:
        """Refuses a request without photos, or with too many; RequestError 400 or 413."""
        if count < 1:
            raise malformed("no photos")
        if count > self.photos:
            raise too_large(f"{count} photos; one request may hold {self.photos}")
