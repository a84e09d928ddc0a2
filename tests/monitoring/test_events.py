"""Events to bet on."""

import numpy as np
import pytest

from phytoflow.monitoring.events import COMPONENT_TAILS, TAILS, find_events
from phytoflow.monitoring.observations import FEATURE_MEASURES
from tests.support.drift import CLASSES, draw, draw_reference


def test_an_event_happens_to_its_share_of_the_reference() -> None:
    reference = draw_reference(0, 400)
    events = find_events(reference)
    happened = events.happened(events.values(reference.observations))
    np.testing.assert_allclose(happened.mean(axis=0), events.share)


def test_each_value_has_its_tails_on_both_sides_and_each_class_both_ways() -> None:
    reference = draw_reference(1, 200)
    events = find_events(reference)
    count = {name: events.names.count(name) for name in events.names}
    components = reference.observations.components.shape[1]
    others = ("confidence", "novelty", *FEATURE_MEASURES)
    assert count == {"class": 2 * len(CLASSES)} | dict.fromkeys(others, 2 * len(TAILS)) | {
        f"component_{i + 1}": 2 * len(COMPONENT_TAILS) for i in range(components)
    }


@pytest.mark.parametrize("features", [True, False])
def test_each_family_has_the_same_weight(features: bool) -> None:
    generator = np.random.default_rng(2)
    reference = draw_reference(2, 300)
    if not features:
        object.__setattr__(reference, "observations", draw(generator, 300, features=False))
    events = find_events(reference)
    names = np.array(events.names)
    families = [names == "class", np.isin(names, ["confidence", "novelty"])]
    if features:
        families += [np.isin(names, FEATURE_MEASURES), np.char.startswith(names, "component")]
    sums = [events.weights[family].sum() for family in families]
    np.testing.assert_allclose(sums, 1 / len(families))


def test_selected_events_are_the_same_ones() -> None:
    events = find_events(draw_reference(3, 100))
    rows = events.share > 0.15
    photos = draw(np.random.default_rng(4), 50)
    happened = events.happened(events.values(photos))
    few = events.select(rows)
    assert len(few) == rows.sum() < len(events)
    np.testing.assert_array_equal(few.happened(few.values(photos)), happened[:, rows])
