"""The test martingale: no alarm without a change, however long; a fast one with it."""

import numpy as np
import pytest

from phytoflow.monitoring.bets import place_bets
from phytoflow.monitoring.martingale import ALARM, LEVEL, Wealth, play, unpaid
from tests.support.drift import draw, draw_reference


@pytest.mark.parametrize("size", [100, 300])
def test_no_false_alarm_over_thousands_of_photos_with_a_small_fixed_reference(size: int) -> None:
    for seed in range(5):
        bets = place_bets(draw_reference(seed, size), LEVEL)
        _, totals = play(bets, Wealth.start(bets), draw(np.random.default_rng(1000 + seed), 3000))
        assert totals.max() < ALARM


@pytest.mark.parametrize("calm", [0, 2000])
def test_a_change_is_noticed_within_dozens_of_photos_also_after_a_long_calm(calm: int) -> None:
    delays = []
    for seed in range(5):
        bets = place_bets(draw_reference(seed, 300), LEVEL)
        generator = np.random.default_rng(2000 + seed)
        wealth, _ = play(bets, Wealth.start(bets), draw(generator, calm))
        _, totals = play(bets, wealth, draw(generator, 200, moved=2.5))
        assert totals.max() >= ALARM
        delays.append(int((totals >= ALARM).argmax()) + 1)
    assert np.median(delays) <= (35 if calm else 25)


def test_other_shares_of_the_classes_are_noticed() -> None:
    bets = place_bets(draw_reference(0, 300), LEVEL)
    photos = draw(np.random.default_rng(1), 150, shares=(0.1, 0.1, 0.1, 0.7))
    wealth, totals = play(bets, Wealth.start(bets), photos)
    assert totals.max() >= ALARM
    assert next(iter(wealth.shares(bets))) == "class"


def test_the_state_is_all_that_the_past_leaves() -> None:
    bets = place_bets(draw_reference(0, 100), LEVEL)
    photos = draw(np.random.default_rng(1), 700, moved=1.0)
    whole, totals = play(bets, Wealth.start(bets), photos)
    first, early = play(bets, Wealth.start(bets), photos.select(slice(0, 333)))
    second, late = play(bets, first, photos.select(slice(333, None)))
    np.testing.assert_array_equal(second.playing, whole.playing)
    np.testing.assert_allclose(np.concatenate([early, late]), totals, rtol=1e-12)
    assert second.total(bets) == pytest.approx(totals[-1])


def test_the_stake_is_paid_in_bit_by_bit_and_never_more_than_all() -> None:
    left = np.asarray(unpaid(np.arange(10_000)))
    assert left[0] == 1
    assert (np.diff(left) < 0).all()
    assert left[-1] > 0
    bets = place_bets(draw_reference(0, 100), LEVEL)
    assert Wealth.start(bets).total(bets) == 1
