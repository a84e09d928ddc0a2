"""Views of a photo and their average."""

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.inference.predictions import Predictions
from phytoflow.inference.test_time_augmentation import average_views, flip, view_pixels
from phytoflow.protocol.constants import VIEWS

PREPROCESSING = Preprocessing(size=8, crop_fraction=0.5)


def quarters(width: int = 16, height: int = 16) -> Image.Image:
    """Four colours, one in each quarter."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (250, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 250, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 250)
    pixels[height // 2 :, width // 2 :] = (250, 250, 0)
    return Image.fromarray(pixels)


def test_flips_turn_the_photo_in_all_four_ways() -> None:
    views = [view_pixels(PREPROCESSING, quarters(), "flips", view) for view in range(VIEWS["flips"])]
    assert (views[0] == PREPROCESSING.pixels(quarters())).all()
    assert (views[1] == views[0][:, ::-1]).all() and (views[2] == views[0][::-1]).all()
    assert (views[3] == views[0][::-1, ::-1]).all()
    assert len({view.tobytes() for view in views}) == 4


def test_a_tensor_is_flipped_as_its_pixels_are() -> None:
    pixels = np.asarray(quarters())
    for view in range(4):
        flipped = flip(pixels.transpose(2, 0, 1), view, axes=(-1, -2))
        assert (flipped.transpose(1, 2, 0) == flip(pixels, view, axes=(1, 0))).all()


def test_ten_crops_show_the_centre_and_the_corners_each_mirrored_too() -> None:
    views = [view_pixels(PREPROCESSING, quarters(), "crops", view) for view in range(VIEWS["crops"])]
    assert len(views) == 10 and {view.shape for view in views} == {(8, 8, 3)}
    assert (views[0] == PREPROCESSING.pixels(quarters())).all()
    for number, colour in ((2, (250, 0, 0)), (4, (0, 250, 0)), (6, (0, 0, 250)), (8, (250, 250, 0))):
        assert (views[number] == colour).all()
    assert all((views[number + 1] == views[number][:, ::-1]).all() for number in range(0, 10, 2))


def test_each_photos_views_are_averaged_on_their_own() -> None:
    probabilities = np.array([[1, 0], [0, 1], [0.5, 0.5], [0.1, 0.9]], np.float32)
    novelty = np.array([0, 1, 2, 4], np.float32)
    features = np.arange(4, dtype=np.float32)[:, None]
    mean = average_views(Predictions(probabilities, ("a", "b"), novelty, features), 2)
    assert mean.features is not None and mean.features.tolist() == [[0], [2]]  # the photos themselves
    assert mean.probabilities.tolist() == [pytest.approx([0.5, 0.5]), pytest.approx([0.3, 0.7])]
    assert mean.novelty is not None and mean.novelty.tolist() == [0.5, 3]
    single = Predictions(probabilities, ("a", "b"))
    assert average_views(single, 1) is single and average_views(single, 4).novelty is None
