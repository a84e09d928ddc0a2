"""Evidence that may be looked at after every answer.

The functions of evidence return the logarithm of an e-value: a statistic whose expectation is at most 1 while
the null hypothesis holds, whenever one looks. By Ville's inequality it ever exceeds ``1 / alpha`` with a
probability of at most ``alpha``, so no correction for repeated looks is needed. All of them depend on counts
alone, so a decision can be recomputed from the log.

Sources: Wald (1945), Sequential tests of statistical hypotheses; Robbins (1970), Statistical methods related
to the law of the iterated logarithm; Howard et al. (2021), Time-uniform, nonparametric, nonasymptotic
confidence sequences; Shin, Ramdas and Rinaldo (2023), E-detectors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import betainc, betaln, logsumexp

_SLOPES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)  # mixed with equal weights: each is best for another excess
_CLOSE_TO_HALF = (0.35, 0.4)  # win probabilities if 3 points are lost and 10 or 15% of the photos decide
_EDGE = 1e-12


def sprt(hits: int, trials: int, expected: float, bad: float) -> float:
    """Evidence that a rate is nearer to ``bad`` than to ``expected`` (Wald 1945).

    Args:
        hits: Trials that hit.
        trials: All trials.
        expected: The largest rate under the null hypothesis, in (0, 1).
        bad: The rate to detect, above ``expected``.
    """
    hit, miss = math.log(bad / expected), math.log((1 - bad) / (1 - expected))
    return hits * hit + (trials - hits) * miss


@dataclass(frozen=True)
class Window:
    """The newest trials, for a rate that changes late, however long it was good before.

    The change may come after any block of trials. The e-values of these changes, mixed with the weights
    ``1 / ((i + 1) (i + 2))``, are one e-value. The term of the newest trials alone is less: their own
    evidence minus ``cost``.

    Attributes:
        least: Number of the newest trials, at least; a multiple of ``block``.
        block: Trials of a block.
    """

    least: int
    block: int

    def newest(self, trials: int) -> int:
        """Number of the newest trials that count: ``least`` and up to a block more, or all."""
        return min(trials, self.least + trials % self.block)

    def cost(self, trials: int) -> float:
        """Logarithm of the inverse weight of a change where the newest of so many trials begin."""
        blocks = (trials - self.newest(trials)) // self.block
        return math.log((blocks + 1) * (blocks + 2))


CRASH = Window(20, 10)
"""For failures: a crash is found within 20 photos."""
DECLINE = Window(200, 50)
"""For everything else, whose tolerated and bad rates lie closer together."""


def loses(wins: int, losses: int) -> float:
    """Evidence that a fair coin loses: that wins are rarer than losses.

    Alternatives are mixed with equal weights: all win probabilities below one half, uniformly, and two close
    to one half, for which the uniform mixture alone needs up to a third more trials.
    """
    trials = wins + losses
    fixed = [wins * math.log(2 * p) + losses * math.log(2 * (1 - p)) for p in _CLOSE_TO_HALF]
    below_half = betainc(wins + 1, losses + 1, 0.5)
    # Zero by underflow means far more wins than losses.
    uniform = math.log(2 * below_half) + betaln(wins + 1, losses + 1) if below_half > 0 else -math.inf
    mixture = [uniform + trials * math.log(2), *fixed]
    return float(logsumexp(mixture)) - math.log(len(mixture))


def exceeds(total: float, trials: int, mean: float) -> float:
    """Evidence that values in [0, 1] have a larger mean than ``mean``.

    Hoeffding's sub-Gaussian bound, mixed over slopes.

    Args:
        total: Sum of the values.
        trials: Their number.
        mean: The largest mean under the null hypothesis.
    """
    excess = total - trials * mean
    terms = [slope * excess - trials * slope**2 / 8 for slope in _SLOPES]
    return float(logsumexp(terms)) - math.log(len(_SLOPES))


def bounds(hits: int, trials: int, alpha: float) -> tuple[float, float]:
    """Lower and upper bound of a rate, valid at all times together with probability ``1 - alpha``.

    Robbins's mixture with a uniform prior: the rates whose likelihood is at least ``alpha`` times the
    mixture's.
    """
    if trials == 0:
        return 0.0, 1.0
    misses = trials - hits
    mixture = float(betaln(hits + 1, misses + 1)) + math.log(alpha)

    def inside(rate: float) -> float:
        return hits * math.log(rate) + misses * math.log1p(-rate) - mixture

    best = min(max(hits / trials, _EDGE), 1 - _EDGE)
    lower = 0.0 if hits == 0 else brentq(inside, _EDGE, best)
    upper = 1.0 if misses == 0 else brentq(inside, best, 1 - _EDGE)
    return float(lower), float(upper)
