from collections.abc import Callable

import numpy as np
import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.samples import TestPhotoSamples
from phytoflow.evaluation.settings import EvaluationSettings


@pytest.mark.parametrize("extended", [False, True])
def test_photos_are_kept_only_for_what_is_measured(
    extended: bool, colour_photo: Callable[..., LabelledPhoto]
) -> None:
    settings = EvaluationSettings(
        latency_photos=5, extended=extended, robustness_photos=10, variant_photos=12
    )
    samples = TestPhotoSamples.create(("red", "green", "blue"), settings, seed=0)
    for number in range(20):
        samples.observe(colour_photo("red", number), np.array([0.2, 0.7, 0.1]))
    assert len(samples.timed.contents) == 5
    assert len(samples.corrupted.photos) == (10 if extended else 0)
    assert len(samples.compared.photos) == (12 if extended else 0)
    assert len(samples.examples.examples().mistakes) == 12
