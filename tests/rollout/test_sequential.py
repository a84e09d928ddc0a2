"""Evidence keeps its promises: against exact values, and in simulations at every look."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad

from phytoflow.rollout.sequential import CRASH, DECLINE, Window, bounds, exceeds, loses, sprt


def test_sprt_is_the_likelihood_ratio() -> None:
    assert sprt(0, 0, 0.01, 0.05) == 0
    assert sprt(2, 10, 0.01, 0.05) == pytest.approx(math.log((0.05**2 * 0.95**8) / (0.01**2 * 0.99**8)))


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (0, 5), (5, 0), (12, 30), (200, 210)])
def test_the_mixture_over_losing_coins_is_the_integral(wins: int, losses: int) -> None:
    def likelihood_ratio(p: float) -> float:
        return float((2 * p) ** wins * (2 * (1 - p)) ** losses)

    uniform, _ = quad(lambda p: 2 * likelihood_ratio(p), 0, 0.5, epsabs=1e-12)
    ratio = (uniform + likelihood_ratio(0.35) + likelihood_ratio(0.4)) / 3
    assert loses(wins, losses) == pytest.approx(math.log(ratio), abs=1e-6)


def test_many_wins_are_no_evidence_of_losing() -> None:
    assert loses(5000, 10) < -900


def crossing_probability(rate: float, looks: int, crosses: Callable[[int, int], bool]) -> float:
    """Exact probability that a coin's counts (hits, trials) ever cross, by dynamic programming."""
    alive, crossed = np.array([1.0]), 0.0  # probability of each number of hits, not yet crossed
    for trials in range(1, looks + 1):
        alive = np.append(alive * (1 - rate), 0.0) + np.append(0.0, alive * rate)
        gone = np.array([crosses(hits, trials) for hits in range(trials + 1)])
        crossed += float(alive[gone].sum())
        alive[gone] = 0.0
    return crossed


def calls_losing(wins: int, trials: int) -> bool:
    return loses(wins, trials - wins) >= -math.log(0.05)


@pytest.mark.parametrize("rate", [0.5, 0.6])
def test_a_fair_coin_is_rarely_called_losing(rate: float) -> None:
    assert crossing_probability(rate, 150, calls_losing) <= 0.05


def test_a_losing_coin_is_found() -> None:
    assert crossing_probability(0.25, 150, calls_losing) >= 0.99
    # 3 points are lost, and exactly one model is right on 10% of the photos.
    assert crossing_probability(0.35, 200, calls_losing) >= 0.95


@pytest.mark.parametrize("rate", [0.01, 0.005])
def test_an_expected_rate_is_rarely_called_bad(rate: float) -> None:
    def crosses(hits: int, trials: int) -> bool:
        return sprt(hits, trials, 0.01, 0.05) >= -math.log(0.001)

    assert crossing_probability(rate, 200, crosses) <= 0.001 < crossing_probability(0.2, 200, crosses)


@pytest.mark.parametrize(("good", "needed"), [(0, 5), (100, 8), (1_000, 11), (10_000, 14), (100_000, 16)])
def test_a_crash_is_found_soon_however_long_all_went_well(good: int, needed: int) -> None:
    def found(failures: int) -> bool:
        trials = good + failures
        return late(CRASH, min(failures, CRASH.newest(trials)), trials, 0.01, 0.05) >= -math.log(0.001)

    assert next(failures for failures in range(1, 100) if found(failures)) == needed


@pytest.mark.parametrize(("good", "needed"), [(200, 140), (1_000, 149), (10_000, 150), (100_000, 150)])
def test_one_that_turns_slow_late_is_found_within_150_photos(good: int, needed: int) -> None:
    """One of five was slow before; every one is afterwards."""

    def found(slow: int) -> bool:
        trials = good + slow
        hits = min(slow, DECLINE.newest(trials)) + max(DECLINE.newest(trials) - slow, 0) // 5
        return late(DECLINE, hits, trials, 0.5, 0.75) >= -math.log(0.001)

    assert next(slow for slow in range(1, 300) if found(slow)) == needed


@pytest.mark.parametrize(
    ("window", "expected", "bad"), [(CRASH, 0.01, 0.05), (DECLINE, 0.5, 0.75), (DECLINE, 0.3, 0.5)]
)
def test_an_expected_rate_rarely_seems_to_rise(window: Window, expected: float, bad: float) -> None:
    streams = np.random.default_rng(3).random((500, 1000)) < expected
    hits = np.concatenate([np.zeros((500, 1), int), streams.cumsum(axis=1)], axis=1)
    evidence = [
        [late(window, int(row[t] - row[t - window.newest(t)]), t, expected, bad) for row in hits]
        for t in range(1, 1001, 9)  # each remainder of a block
    ]
    assert first_crossings(np.array(evidence).T, 0.05) <= 0.05


def late(window: Window, hits: int, trials: int, expected: float, bad: float) -> float:
    """Evidence of the hits among the newest trials."""
    return sprt(hits, window.newest(trials), expected, bad) - window.cost(trials)


def first_crossings(log_e_values: np.ndarray, alpha: float) -> float:
    """Share of rows that ever exceed 1 / alpha."""
    return float((log_e_values >= -math.log(alpha)).any(axis=1).mean())


@pytest.mark.parametrize(("mean", "most"), [(0.3, 0.001), (0.25, 0.001)])
def test_a_mean_within_its_limit_never_exceeds_it(mean: float, most: float) -> None:
    values = np.random.default_rng(2).beta(2 * mean, 2 * (1 - mean), (100, 200))
    totals = np.cumsum(values, axis=1)
    found = [[exceeds(float(t), n, 0.3) for n, t in enumerate(row, 1)] for row in totals]
    assert first_crossings(np.array(found), 0.001) <= most


def test_a_mean_above_its_limit_is_found() -> None:
    assert exceeds(60.0, 100, 0.3) > -math.log(0.001) > exceeds(31.0, 100, 0.3)


def test_bounds_hold_at_every_look() -> None:
    def misses(hits: int, trials: int) -> bool:
        low, high = bounds(hits, trials, 0.1)
        return not low <= 0.2 <= high

    assert crossing_probability(0.2, 80, misses) <= 0.1


def test_bounds_narrow_and_stay_in_the_unit_interval() -> None:
    assert bounds(0, 0, 0.05) == (0.0, 1.0)
    assert bounds(0, 50, 0.05)[0] == 0.0 and bounds(50, 50, 0.05)[1] == 1.0
    low, high = bounds(500, 1000, 0.05)
    assert 0.43 < low < 0.5 < high < 0.57
