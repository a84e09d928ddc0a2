"""What moved."""

import numpy as np
import pytest

from phytoflow.monitoring.attribution import STRANGEST, attribute
from tests.support.drift import draw, draw_reference


def test_nothing_moved_among_photos_like_the_reference() -> None:
    result = attribute(draw_reference(0, 300), draw(np.random.default_rng(1), 100))
    assert result.moved == ()
    assert result.discrepancy_p_value is not None and result.discrepancy_p_value > 0.01
    assert result.separability == pytest.approx(0.5, abs=0.15)


def test_the_component_that_moved_is_named_first() -> None:
    result = attribute(draw_reference(0, 300), draw(np.random.default_rng(1), 100, moved=2.0))
    assert [movement.name for movement in result.moved] == ["component_1"]
    assert result.moved[0].served - result.moved[0].reference == pytest.approx(2, abs=0.4)
    assert result.discrepancy_p_value is not None and result.discrepancy_p_value < 0.01
    assert len(set(result.strangest)) == STRANGEST


def test_of_many_values_that_moved_the_clearest_are_named() -> None:
    photos = draw(np.random.default_rng(1), 100, moved=3.0)
    photos.components[:, 1:20] += 1
    names = [movement.name for movement in attribute(draw_reference(0, 300), photos).moved]
    assert len(names) == 12
    assert names[0] == "component_1"


def test_the_class_that_became_frequent_is_named() -> None:
    photos = draw(np.random.default_rng(1), 150, shares=(0.1, 0.1, 0.1, 0.7))
    first = attribute(draw_reference(0, 300), photos).moved[0]
    assert (first.name, first.detail) == ("class", "healthy")
    assert first.served > 0.6 > 0.2 > first.reference


def test_without_features_the_least_confident_are_the_strangest() -> None:
    photos = draw(np.random.default_rng(1), 100, features=False)
    result = attribute(draw_reference(0, 300), photos)
    assert result.discrepancy_p_value is result.separability is None
    assert result.strangest[0] == photos.confidence.argmin()


def test_a_handful_of_photos_says_nothing() -> None:
    assert attribute(draw_reference(0, 300), draw(np.random.default_rng(1), 4)).moved == ()
