import pytest

from phytoflow.evaluation.audit.background_bias import measure_background_bias
from tests.evaluation.audit.leaves import photographed_leaves


def test_a_border_that_reveals_the_class_is_found() -> None:
    bias = measure_background_bias(photographed_leaves(tell=True), seed=0)
    assert bias is not None
    assert bias.reveals_class
    assert bias.border > 0.9
    assert bias.highest == max(bias.eight_pixels, bias.border, bias.masked)
    assert bias.chance == pytest.approx(1 / 3)


def test_a_border_that_is_the_same_for_all_reveals_nothing() -> None:
    bias = measure_background_bias(photographed_leaves(), seed=0)
    assert bias is not None
    assert not bias.reveals_class
    assert bias.highest < 0.5


def test_too_few_leaves_for_cross_validation_are_not_measured() -> None:
    photos = photographed_leaves()
    photos.groups[photos.labels == 0] = 0
    assert measure_background_bias(photos, seed=0) is None
