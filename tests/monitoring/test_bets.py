"""Prices of bets: bounds of what a finite reference says of probabilities."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta

from phytoflow.monitoring.bets import ODDS, place_bets
from phytoflow.monitoring.events import find_events
from tests.support.drift import draw, draw_reference


def test_prices_are_above_the_shares_of_the_reference_and_approach_them() -> None:
    small, large = (place_bets(draw_reference(0, count), 0.005) for count in (100, 10_000))
    for bets, width in ((small, 0.05), (large, 0.005)):
        factors = bets.factors(draw_reference(0, 100 if bets is small else 10_000).observations)
        happened = factors[:, :, 0] > 1
        assert (bets.price - happened.mean(axis=0) > width / 10).all()
    assert large.price.min() < small.price.min()


def test_the_price_is_the_quantile_of_the_beta_distribution() -> None:
    reference = draw_reference(1, 200)
    bets = place_bets(reference, 0.01)
    assert len(bets.events) == len(find_events(reference))  # none is so dear that it is left out
    index = bets.events.names.index("confidence")
    failure = 0.01 * bets.weights[index]
    assert bets.price[index] == pytest.approx(beta.ppf(1 - failure, 4 + 1, 200 - 4), rel=1e-6)


def test_photos_of_one_group_count_as_less() -> None:
    few = draw_reference(2, 40).select(np.repeat(np.arange(40), 5))  # each photo five times
    alone, together = (
        place_bets(replace(few, groups=groups), 0.01) for groups in (np.arange(200), np.arange(200) // 5)
    )
    assert together.price.mean() > alone.price.mean() + 0.05


def test_a_bet_neither_wins_nor_loses_at_its_price_and_loses_below() -> None:
    bets = place_bets(draw_reference(3, 300), 0.005)
    win, lose, price = bets.win, bets.lose, bets.price[:, None]
    np.testing.assert_allclose(price * win + (1 - price) * lose, 1)
    below = 0.7 * price
    assert (below * win + (1 - below) * lose < 1).all()
    assert bets.win.shape == (len(bets.price), len(ODDS))


def test_photos_without_features_leave_bets_on_them_as_they_are() -> None:
    bets = place_bets(draw_reference(4, 300), 0.005)
    factors = bets.factors(draw(np.random.default_rng(0), 20, features=False))
    of_features = np.array([name not in ("class", "confidence", "novelty") for name in bets.events.names])
    assert (factors[:, of_features] == 1).all()
    assert (factors[:, ~of_features] != 1).all()


def test_a_bet_that_cannot_win_is_left_out_and_its_stake_is_given_to_the_others() -> None:
    reference = draw_reference(5, 20)
    bets = place_bets(reference, 0.005)
    assert len(bets.events) < len(find_events(reference))
    assert bets.weights.sum() == pytest.approx(1)
