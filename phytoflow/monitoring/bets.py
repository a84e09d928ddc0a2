"""Bets against "these photos are like the reference": events that a fixed reference bounds the chance of.

An event is "a watched value lies beyond a quantile of the reference" or "the class is c". How probable it is
among photos like the reference is not known, only bounded: the reference is finite. For n independent
reference photos the probability of exceeding the (n - m)-th smallest value has a Beta(m + 1, n - m)
distribution (Wilks 1941). Its upper quantile is the price of the bet, so that a bet does not win on average,
whatever the truth within the bounds. Prices are corrected for the number of events (Bonferroni), and n for
the likeness of photos of one group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from phytoflow.monitoring.observations import WATCHED, Observations
from phytoflow.monitoring.reference import Reference

TAILS = (0.02, 0.1, 0.3)
"""Shares of the reference beyond quantiles: rare events notice a few odd photos, common ones small shifts."""
ODDS = (0.5, 1.0, 2.0, 4.0)
"""How far the alternatives of an event lie above its price, in log odds."""
_MOST_CLASSES = 50  # the most frequent of the reference: bets on rare ones would never pay
_LARGEST_PRICE = 0.98  # an event that is as good as certain cannot become more frequent


@dataclass(frozen=True)
class Bets:
    """B events, and for each the factors by which a bet on it grows.

    Attributes:
        names: What each event is about: a name of ``WATCHED``, or ``class``.
        column: int64 [B], column of the watched values; -1: the predicted class.
        upper: bool [B], whether the event is a value above the threshold (below it otherwise), or for
            classes that the class is the one named (is not).
        threshold: float64 [B], threshold, or index of the class.
        price: float64 [B], upper bound of the event's probability.
        weights: float64 [B], sum to 1: each name has the same.
        win: float64 [B, Q], logarithm of the factor if the event happens, for Q alternatives.
        lose: float64 [B, Q], the same if it does not.
    """

    names: tuple[str, ...]
    column: NDArray[np.int64]
    upper: NDArray[np.bool_]
    threshold: NDArray[np.float64]
    price: NDArray[np.float64]
    weights: NDArray[np.float64]
    win: NDArray[np.float64]
    lose: NDArray[np.float64]

    def factors(self, photos: Observations) -> NDArray[np.float64]:
        """Factors by which the bets grow, float64 [N, B, Q]; 1 if the photo lacks the value."""
        values = _values(photos, self.column)
        happened = _happened(values, self.column, self.upper, self.threshold)
        logs = np.where(happened[:, :, None], self.win, self.lose)
        logs[~np.isfinite(values)] = 0
        return np.exp(logs)


def _values(photos: Observations, column: NDArray[np.int64]) -> NDArray[np.float64]:
    """The value that each event is about, float64 [N, B]; column -1 is the class."""
    return np.column_stack([photos.watched, photos.label]).astype(np.float64)[:, column]


def _happened(
    values: NDArray[np.float64],
    column: NDArray[np.int64],
    upper: NDArray[np.bool_],
    threshold: NDArray[np.float64],
) -> NDArray[np.bool_]:
    happened = np.where(upper, values > threshold, values < threshold)
    of_class = column == -1
    happened[:, of_class] = (values == threshold)[:, of_class] == upper[of_class]
    return happened


def place_bets(reference: Reference, failure: float) -> Bets:
    """The bets against a reference.

    Args:
        reference: The reference photos.
        failure: Probability, over references, that any of the prices is too low.
    """
    events = [*_quantile_events(reference), *_class_events(reference)]
    price = _prices(reference, events, failure)
    usable = price < _LARGEST_PRICE
    events = [event for event, use in zip(events, usable, strict=True) if use]
    price = price[usable]
    names = tuple(name for name, *_ in events)
    win, lose = _payoffs(price)
    counts = {name: names.count(name) for name in names}
    return Bets(
        names=names,
        column=np.array([column for _, column, *_ in events], np.int64),
        upper=np.array([upper for _, _, upper, *_ in events], bool),
        threshold=np.array([threshold for *_, threshold, _ in events], np.float64),
        price=price,
        weights=np.array([1 / counts[name] / len(counts) for name in names]),
        win=win,
        lose=lose,
    )


_Event = tuple[str, int, bool, float, float]  # name, column, upper, threshold, share of the reference


def _quantile_events(reference: Reference) -> list[_Event]:
    events = []
    for column, name in enumerate(WATCHED):
        values = np.sort(reference.observations.watched[:, column].astype(np.float64))
        if not np.isfinite(values).all():
            continue
        count = len(values)
        for tail in TAILS:
            beyond = max(round(tail * count), 1)
            events.append((name, column, True, float(values[count - beyond - 1]), beyond / count))
            events.append((name, column, False, float(values[beyond]), beyond / count))
    return events


def _class_events(reference: Reference) -> list[_Event]:
    counts = np.bincount(reference.observations.label, minlength=len(reference.classes))
    shares = counts / counts.sum()
    frequent = np.argsort(-counts, kind="stable")[:_MOST_CLASSES]
    more = [("class", -1, True, float(c), float(shares[c])) for c in frequent]
    return more + [("class", -1, False, float(c), float(1 - shares[c])) for c in frequent]


def _prices(reference: Reference, events: list[_Event], failure: float) -> NDArray[np.float64]:
    names, columns, upper, threshold, share = (np.array(values) for values in zip(*events, strict=True))
    happened = _happened(_values(reference.observations, columns), columns, upper, threshold)
    effects = _design_effects(happened, reference.groups)
    for name in np.unique(names):  # a single event's estimate is noisy
        effects[names == name] = max(1.0, float(effects[names == name].mean()))
    return _upper_bound(share, len(reference) / effects, failure / len(events))


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
    shares: NDArray[np.float64], sizes: NDArray[np.float64], failure: float
) -> NDArray[np.float64]:
    """Upper bound of a probability of which a share was seen among so many independent photos, [B]."""
    beyond = shares * sizes
    bound: NDArray[np.float64] = betaincinv(beyond + 1, np.maximum(sizes - beyond, 1e-9), 1 - failure)
    return bound


def _payoffs(price: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Logarithmic likelihood ratios of the alternatives to the price, if the event happens and if not."""
    odds = np.log(price / (1 - price))[:, None] + np.array(ODDS)
    chance = 1 / (1 + np.exp(-odds))
    return np.log(chance / price[:, None]), np.log((1 - chance) / (1 - price[:, None]))
