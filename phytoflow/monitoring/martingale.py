"""A conformal test martingale against a fixed reference: an alarm that may be looked at after every photo.

Each bet multiplies its stake by a factor whose mean is at most 1 while photos are like the reference, given
that the prices hold (``bets``). Half of the stake plays from the first photo. The rest is paid in little by
little, so that a change after a million photos meets fresh stakes (a mixture over the moment of change).
Wealth, the weighted mean over all bets, is then a nonnegative supermartingale that starts at 1. By Ville's
inequality it reaches 1 / a with probability at most a, over any number of photos (Vovk et al. 2003;
on tests conditional on a fixed reference see also arXiv 2602.13848). With the failure of the prices the
probability of a false alarm, ever, is at most twice ``LEVEL``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.monitoring.bets import ODDS, Bets
from phytoflow.monitoring.observations import Observations

LEVEL = 0.005
"""Probability that the prices fail, and inverse of the wealth that raises the alarm."""
ALARM = 1 / LEVEL
_MOST_WEALTH = 1e6  # of a bet: more would only delay the end of an alarm
_FIRST = 0.5  # share of the stake that plays from the first photo
_PACE = 50.0  # photos after which about a third of the rest is paid in
_CHUNK = 512  # photos whose factors are computed at a time


@dataclass(frozen=True)
class Wealth:
    """State of the test after a number of photos.

    Attributes:
        photos: Number of photos seen.
        playing: float64 [B, Q], wealth of each bet, without the stake that is not paid in yet.
    """

    photos: int
    playing: NDArray[np.float64]

    @classmethod
    def start(cls, bets: Bets) -> Wealth:
        """Before the first photo."""
        return cls(0, np.zeros((len(bets.price), len(ODDS))))

    def total(self, bets: Bets) -> float:
        """Wealth in all; at 200 there is an alarm."""
        return float(unpaid(self.photos) + bets.weights @ self.playing.mean(axis=1))

    def shares(self, bets: Bets) -> dict[str, float]:
        """Share of the wealth by name: what the alarm comes from."""
        parts = bets.weights * self.playing.mean(axis=1)
        total = max(float(parts.sum()), 1e-300)
        by_name: dict[str, float] = {}
        for name, part in zip(bets.events.names, parts, strict=True):
            by_name[name] = by_name.get(name, 0.0) + float(part) / total
        return dict(sorted(by_name.items(), key=lambda item: -item[1]))

    def best(self, bets: Bets) -> tuple[int, int]:
        """Event and alternative of the bet that has won most."""
        event, alternative = divmod(int((bets.weights[:, None] * self.playing).argmax()), len(ODDS))
        return event, alternative


def unpaid(photos: int | NDArray[np.int64]) -> float | NDArray[np.float64]:
    """Share of the stake that is not paid in after a number of photos; 1 before the first."""
    rest = (1 - _FIRST) / (1 + np.log1p(np.asarray(photos) / _PACE))
    return np.where(np.asarray(photos) == 0, 1.0, rest) if np.ndim(photos) else (rest if photos else 1.0)


def play(bets: Bets, wealth: Wealth, photos: Observations) -> tuple[Wealth, NDArray[np.float64]]:
    """Plays on with further photos, in order.

    Returns:
        The new state, and the total wealth after each photo, float64 [N].
    """
    totals = np.empty(len(photos))
    for start in range(0, len(photos), _CHUNK):
        part = photos.select(slice(start, start + _CHUNK))
        wealth, totals[start : start + _CHUNK] = _play(bets, wealth, part)
    return wealth, totals


def _play(bets: Bets, wealth: Wealth, photos: Observations) -> tuple[Wealth, NDArray[np.float64]]:
    factors = bets.factors(photos)
    left = np.asarray(unpaid(wealth.photos + np.arange(len(photos) + 1)))
    paid = left[:-1] - left[1:]
    weights = np.repeat(bets.weights / len(ODDS), len(ODDS))
    playing, totals = wealth.playing.copy(), left[1:].copy()
    for i in range(len(photos)):
        playing += paid[i]
        playing *= factors[i]
        np.minimum(playing, _MOST_WEALTH, out=playing)  # only lowers it: still a supermartingale
        totals[i] += weights @ playing.ravel()
    return Wealth(wealth.photos + len(photos), playing), totals
