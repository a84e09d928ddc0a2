"""Sizes of photos and the number of them."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.data.images.limits import Limits
from serving.predictor.errors import RequestError
from serving.predictor.inputs.types import Photo, RequestLimits, byte_size


@pytest.mark.parametrize(
    ("photo", "size"),
    [(b"12345", 5), (np.zeros((2, 3, 3), np.uint8), 18), (np.zeros((3, 2, 2), np.float32), 48)],
)
def test_a_photo_has_the_bytes_that_were_sent(photo: Photo, size: int) -> None:
    assert byte_size(photo) == size


@pytest.mark.parametrize(("count", "status"), [(0, 400), (-1, 400), (5, 413)])
def test_none_and_too_many_photos_are_refused(count: int, status: int) -> None:
    limits = RequestLimits(4, Limits(), 64)
    limits.check_count(1)
    limits.check_count(4)
    with pytest.raises(RequestError) as caught:
        limits.check_count(count)
    assert caught.value.status == status
