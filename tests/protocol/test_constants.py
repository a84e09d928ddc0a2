"""Constants that two sides share, against what each of them does."""

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.inference.test_time_augmentation import view_pixels
from phytoflow.protocol.constants import EXPLANATION, OOD_OUTPUTS, OUTPUTS, VIEWS, Augmentation
from serving.predictor.options import Options
from serving.predictor.protocol.outputs import output_names


@pytest.mark.parametrize("name", VIEWS)
def test_an_augmentation_has_as_many_different_views_as_announced(name: Augmentation) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 90, 3)).astype(np.uint8)
    preprocessing = Preprocessing(size=32)
    views = [view_pixels(preprocessing, Image.fromarray(pixels), name, view) for view in range(VIEWS[name])]
    assert len({view.tobytes() for view in views}) == VIEWS[name]


def test_the_predictor_gives_the_outputs_that_clients_read() -> None:
    assert output_names(ood=True, explain=True) == (*OUTPUTS, *OOD_OUTPUTS, EXPLANATION)
    assert output_names(ood=False) == OUTPUTS


def test_a_clients_default_request_fits_the_predictors_default_limit() -> None:
    assert Options("bundle").max_photos_per_request >= max(VIEWS.values())
