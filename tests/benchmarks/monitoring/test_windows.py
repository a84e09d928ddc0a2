"""Windows of photos, with a detector that looks at the confidence."""

import numpy as np

from benchmarks.monitoring import windows
from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.two_samples import univariate_shift
from tests.support.drift import draw, draw_reference


def less_confident(reference: Observations, photos: Observations) -> bool:
    return univariate_shift(reference.confidence, photos.confidence) < 1e-4


def test_the_alarm_comes_at_the_end_of_the_first_window_that_differs() -> None:
    reference = draw_reference(0, 300).observations
    photos = draw(np.random.default_rng(1), 270)
    assert windows.first_alarm(less_confident, reference, photos) == np.inf
    photos.confidence[120:] -= 0.5
    assert windows.first_alarm(less_confident, reference, photos) == 150
    assert windows.first_alarm(less_confident, reference, photos.select(slice(100, 149))) == np.inf


def test_evidently_notices_a_great_change_and_nothing_among_the_same_photos() -> None:
    reference, photos = draw_reference(0, 300).observations, draw(np.random.default_rng(1), 50)
    assert not windows.dataset_drift(reference, photos)
    assert not windows.embeddings_drift(reference, photos)
    photos.components[:] += 3
    assert windows.dataset_drift(reference, photos)
    assert windows.embeddings_drift(reference, photos)
