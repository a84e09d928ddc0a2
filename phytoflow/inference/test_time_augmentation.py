"""Test-time augmentation: several views of a photo, whose probabilities are averaged.

``flips``: the photo as it is, mirrored, upside down, and both; a leaf has no right way up. ``crops``: the
centre and the four corners, each also mirrored (ten-crop, Krizhevsky 2012).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.inference.predictions import Predictions
from phytoflow.protocol.constants import Augmentation

_CENTRE = (0.5, 0.5)
_PLACES = (_CENTRE, (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))  # of the crops; x and y


def view_pixels(
    preprocessing: Preprocessing, image: Image.Image, augmentation: Augmentation, view: int
) -> NDArray[np.uint8]:
    """One view of a photo.

    Args:
        preprocessing: The bundle's preprocessing.
        image: RGB, of any size.
        augmentation: The kind of views.
        view: Number of the view, from 0; 0 is the photo without augmentation.

    Returns:
        uint8 [size, size, 3].
    """
    if augmentation == "crops":
        pixels = _crop(preprocessing, image, *_PLACES[view // 2])
        return pixels[:, ::-1] if view % 2 else pixels
    return flip(preprocessing.pixels(image), view, axes=(1, 0))


def flip(array: NDArray[Any], view: int, axes: tuple[int, int]) -> NDArray[Any]:
    """One of the four flips.

    Args:
        array: Pixels or a tensor of any layout.
        view: 0: as it is, 1: mirrored, 2: upside down, 3: both.
        axes: The axis along a row of pixels, and the one along a column.
    """
    flipped = tuple(axis for bit, axis in enumerate(axes) if view >> bit & 1)
    return np.flip(array, flipped) if flipped else array


def average_views(predictions: Predictions, views: int) -> Predictions:
    """Averages each photo's views: N * ``views`` rows to N, whose probabilities still sum to 1.

    Features are those of the first view, the photo itself, so that they can be compared with other photos'.
    """
    if views == 1:
        return predictions
    novelty, features = predictions.novelty, predictions.features
    return Predictions(
        _mean(predictions.probabilities, views),
        predictions.classes,
        None if novelty is None else _mean(novelty, views),
        None if features is None else features[::views],
    )


def _mean(rows: NDArray[np.float32], views: int) -> NDArray[np.float32]:
    return rows.reshape(-1, views, *rows.shape[1:]).mean(axis=1, dtype=np.float64).astype(np.float32)


def _crop(preprocessing: Preprocessing, image: Image.Image, x: float, y: float) -> NDArray[np.uint8]:
    """A square of the central one's size at another place: 0 is left or top, 1 right or bottom."""
    if (x, y) == _CENTRE:
        return preprocessing.pixels(image)
    side = round(min(image.size) * preprocessing.size / preprocessing.resize_size)
    left, top = round((image.width - side) * x), round((image.height - side) * y)
    whole = preprocessing.model_copy(update={"crop_fraction": 1.0})
    return whole.pixels(image.crop((left, top, left + side, top + side)))
