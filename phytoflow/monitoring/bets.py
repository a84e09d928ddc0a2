"""Bets against "these photos are like the reference": on events that a fixed reference bounds the chance of.

How probable an event is among photos like the reference is not known, only bounded: the reference is finite.
For n independent reference photos the probability of exceeding the (n - m)-th smallest value has a
Beta(m + 1, n - m) distribution (Wilks 1941). Its upper quantile is the price of the bet, so that a bet does
not win on average, whatever the truth within the bounds. Prices are corrected for the number of events
(Bonferroni, by their weights), and n for the likeness of photos of one group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from phytoflow.monitoring.events import Events, find_events
from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.reference import Reference

ODDS = (0.5, 1.0, 2.0, 4.0)
"""How far the alternatives of an event lie above its price, in log odds."""
_LARGEST_PRICE = 0.98  # an event that is as good as certain cannot become more frequent


@dataclass(frozen=True)
class Bets:
    """B events, and for each the factors by which a bet on it grows.

    Attributes:
        events: What is bet on.
        price: float64 [B], upper bound of the event's probability.
        weights: float64 [B], share of the stake; they sum to 1.
        win: float64 [B, Q], the factor if the event happens, for Q alternatives.
        lose: float64 [B, Q], the same if it does not.
    """

    events: Events
    price: NDArray[np.float64]
    weights: NDArray[np.float64]
    win: NDArray[np.float64]
    lose: NDArray[np.float64]

    def factors(self, photos: Observations) -> NDArray[np.float64]:
        """Factors by which the bets grow, float64 [N, B, Q]; 1 if the photo lacks the value."""
        values = self.events.values(photos)
        factors = np.where(self.events.happened(values)[:, :, None], self.win, self.lose)
        factors[~np.isfinite(values)] = 1
        return factors


def place_bets(reference: Reference, failure: float) -> Bets:
    """The bets against a reference.

    Args:
        reference: The reference photos.
        failure: Probability, over references, that any of the prices is too low.
    """
    events = find_events(reference)
    price = _prices(reference, events, failure)
    usable = price < _LARGEST_PRICE
    events, price = events.select(usable), price[usable]
    return Bets(events, price, events.weights, *_payoffs(price))


def _prices(reference: Reference, events: Events, failure: float) -> NDArray[np.float64]:
    happened = events.happened(events.values(reference.observations))
    effects = _design_effects(happened, reference.groups)
    names = np.array(events.names)
    for name in np.unique(names):  # a single event's estimate is noisy
        effects[names == name] = max(1.0, float(effects[names == name].mean()))
    return _upper_bound(events.share, len(reference) / effects, failure * events.weights)


def _design_effects(happened: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """By what factor groups of like photos increase the variance of each event's share, [B] (Kish 1965)."""
    count = int(groups.max()) + 1
    centred = happened - happened.mean(axis=0)
    sums = np.zeros((count, happened.shape[1]))
    np.add.at(sums, groups, centred)
    within: NDArray[np.float64] = np.maximum((centred**2).sum(axis=0), 1e-9)
    rows = len(happened)
    correction = count / max(count - 1, 1) * (rows - 1) / rows  # 1 if each photo is a group of its own
    return (sums**2).sum(axis=0) / within * correction


def _upper_bound(
    shares: NDArray[np.float64], sizes: NDArray[np.float64], failures: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Upper bound of a probability of which a share was seen among so many independent photos, [B]."""
    beyond = shares * sizes
    bound: NDArray[np.float64] = betaincinv(beyond + 1, np.maximum(sizes - beyond, 1e-9), 1 - failures)
    return bound


def _payoffs(price: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Likelihood ratios of the alternatives to the price, if the event happens and if not."""
    odds = np.log(price / (1 - price))[:, None] + np.array(ODDS)
    chance = 1 / (1 + np.exp(-odds))
    return chance / price[:, None], (1 - chance) / (1 - price[:, None])
