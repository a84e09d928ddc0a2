"""The difference in accuracy of two models, from labels of the photos on which they disagree.

On a photo on which both name the same class, both are right or both are wrong: it adds nothing to the
difference. So the difference is ``d (2 p - 1)``, with ``d`` the share of photos on which exactly one is
right, at most the share of disagreements, and ``p`` the challenger's share of those. Only disagreements need
labels (McNemar 1947).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.sequential import bounds, loses
from phytoflow.rollout.settings import RolloutSettings

_FURTHEST = 10_000  # labels or answers ahead; nothing is said of more


@dataclass(frozen=True)
class AccuracyComparison:
    """What the labels say.

    Attributes:
        worse: Whether the challenger is refused as less accurate.
        not_worse: Whether it loses at most the margin.
        log_evidence: Logarithm of the e-value that it is less accurate.
        worst: Largest loss of accuracy that the labels leave possible, 0 to 1.
    """

    worse: bool
    not_worse: bool
    log_evidence: float
    worst: float


def compare(evidence: Evidence, settings: RolloutSettings) -> AccuracyComparison:
    """Compares two models on labelled disagreements; see the module."""
    wins, losses = evidence.challenger_right, evidence.champion_right
    log_evidence = loses(wins, losses)
    worse = log_evidence >= -math.log(settings.alpha)
    # Half of the error probability for each of the two bounds.
    share, _ = bounds(wins, wins + losses, settings.alpha / 2)
    _, disagreement = bounds(evidence.disagreements, evidence.pairs, settings.alpha / 2)
    worst = max(disagreement * (1 - 2 * share), 0.0)
    return AccuracyComparison(worse, not worse and worst <= settings.margin, log_evidence, worst)


def labels_needed(evidence: Evidence, settings: RolloutSettings) -> int | None:
    """How many more labels decide if they fall as those so far; evenly if there are none.

    Returns:
        The number, or None if it lies beyond 10,000 or there are not as many disagreements.
    """
    so_far = evidence.challenger_right + evidence.champion_right
    share = evidence.challenger_right / so_far if so_far else 0.5

    def ahead(more: int) -> Evidence:
        wins = round(share * more)
        losses = more - wins
        return replace(
            evidence,
            challenger_right=evidence.challenger_right + wins,
            champion_right=evidence.champion_right + losses,
        )

    return _least(ahead, settings)


def answers_needed(evidence: Evidence, settings: RolloutSettings) -> int | None:
    """How many more answers decide without labels if the models disagree as often as so far.

    Returns:
        The number, or None if it lies beyond 10,000.
    """
    rate = evidence.disagreements / evidence.pairs if evidence.pairs else 0.0

    def ahead(more: int) -> Evidence:
        disagreements = evidence.disagreements + round(rate * more)
        return replace(evidence, pairs=evidence.pairs + more, disagreements=disagreements)

    return _least(ahead, settings)


def _least(ahead: Callable[[int], Evidence], settings: RolloutSettings) -> int | None:
    """The least number that decides, to within rounding; by doubling and halving."""

    def decides(more: int) -> bool:
        result = compare(ahead(more), settings)
        return result.worse or result.not_worse

    low, high = 0, 1
    while not decides(high):
        low, high = high, 2 * high
        if high > _FURTHEST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high
