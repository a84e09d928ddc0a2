"""The monitor: photos in, an assessment out, a state between."""

from dataclasses import replace

import numpy as np
import pytest

from phytoflow.monitoring.monitor import RECENT, Monitor, MonitorState
from tests.support.drift import draw, draw_reference


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    return Monitor(draw_reference(0, 300))


def names(first: int, count: int) -> list[str]:
    return [f"photo-{number}" for number in range(first, first + count)]


def test_a_stored_state_goes_on_as_if_never_stored(monitor: Monitor) -> None:
    photos = draw(np.random.default_rng(1), 90, moved=1.0)
    whole, _ = monitor.advance(monitor.start(), photos, names(0, 90))
    half, _ = monitor.advance(monitor.start(), photos.select(slice(0, 40)), names(0, 40))
    again = MonitorState.load(half.dump())
    assert monitor.fits(again)
    resumed, _ = monitor.advance(again, photos.select(slice(40, None)), names(40, 50))
    assert resumed.dump() == whole.dump()


def test_the_moment_of_change_and_the_odd_photos_are_found(monitor: Monitor) -> None:
    generator = np.random.default_rng(2)
    state, _ = monitor.advance(monitor.start(), draw(generator, 300), names(0, 300))
    assert monitor.assess(state).grade == "none"
    state, totals = monitor.advance(state, draw(generator, 100, moved=3.0), names(300, 100))
    assessment = monitor.assess(state)
    assert totals.max() >= 200
    assert 300 < assessment.alarm_at <= 340
    assert assessment.changed_at == pytest.approx(301, abs=5)
    assert assessment.grade == "harmless"  # a component moved, the confidence did not
    assert next(iter(assessment.evidence)) == "component_1"
    assert set(assessment.strangest) <= set(names(295, 105))
    assert assessment.attribution is not None
    assert assessment.attribution.moved[0].name == "component_1"


def test_a_slight_change_is_dated_to_its_beginning_too(monitor: Monitor) -> None:
    changed = []
    for seed in range(5):
        photos = draw(np.random.default_rng(100 + seed), 300, moved=1.0)
        state, _ = monitor.advance(monitor.start(), photos, names(0, 300))
        changed.append(monitor.assess(state).changed_at)
    assert max(changed) <= 30


def test_ids_are_forgotten_and_measurements_stay(monitor: Monitor) -> None:
    photos = draw(np.random.default_rng(2), 100, moved=3.0)
    state, _ = monitor.advance(monitor.start(), photos, names(0, 100))
    assessment = monitor.assess(state)
    assert assessment.strangest
    gone = set(assessment.strangest[:1])
    left = MonitorState.load(state.forget(gone).dump())
    assert gone.isdisjoint(left.names) and len(left.names) == 100
    assert monitor.assess(left).strangest == assessment.forget(gone).strangest == assessment.strangest[1:]
    assert monitor.assess(left).wealth == assessment.wealth


def test_an_alarm_ends_once_photos_are_as_before(monitor: Monitor) -> None:
    generator = np.random.default_rng(3)
    state, _ = monitor.advance(monitor.start(), draw(generator, 80, moved=3.0), names(0, 80))
    assert state.alarm_at
    state, _ = monitor.advance(state, draw(generator, 1500), names(80, 1500))
    assert not state.alarm_at
    assert len(state.recent) == len(state.names) == RECENT
    assert monitor.assess(state).attribution is None


def test_unsure_answers_are_harmful_and_unknown_photos_unfamiliar(monitor: Monitor) -> None:
    photos = draw(np.random.default_rng(4), 200)
    unsure = replace(photos, confidence=photos.confidence - 0.4)
    state, _ = monitor.advance(monitor.start(), unsure, names(0, 200))
    assert monitor.assess(state).grade == "harmful"
    unknown = replace(photos, novelty=photos.novelty + 2)
    state, _ = monitor.advance(monitor.start(), unknown, names(0, 200))
    assessment = monitor.assess(state)
    assert assessment.grade == "unfamiliar"
    assert assessment.accuracy.thresholded is None


def test_a_state_of_another_reference_does_not_fit(monitor: Monitor) -> None:
    other = draw_reference(0, 300)
    seen = other.observations
    lacking = replace(other, observations=replace(seen, novelty=np.full_like(seen.novelty, np.nan)))
    assert not monitor.fits(Monitor(lacking).start())
