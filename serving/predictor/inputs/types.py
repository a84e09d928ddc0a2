"""Photos of a request, and the limits on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.limits import Limits
from serving.predictor.errors import malformed, too_large

Photo = bytes | NDArray[np.uint8] | NDArray[np.float32]
"""An encoded file, decoded RGB pixels [H, W, 3], or a preprocessed tensor [3, size, size]."""


def byte_size(photo: Photo) -> int:
    """Bytes of a photo in the form in which it was sent."""
    return len(photo) if isinstance(photo, bytes) else photo.nbytes


@dataclass(frozen=True)
class RequestLimits:
    """Limits on one request.

    Attributes:
        max_photos: Maximum number of photos.
        photo: Limits on each photo.
        input_size: Side of the network's square input, pixels.
    """

    max_photos: int
    photo: Limits
    input_size: int

    def check_count(self, count: int) -> None:
        """Raises RequestError 400 if there are no photos, 413 if there are too many."""
        if count < 1:
            raise malformed("no photos")
        if count > self.max_photos:
            raise too_large(f"{count} photos; one request may hold {self.max_photos}")
