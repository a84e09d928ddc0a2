"""How often a threshold set on some groups has too high a false-positive rate on others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.metrics import conformal_quantile, grouped_quantile

SPLITS, MOST = 200, 0.05
_HELD_OUT = 1 / 3  # of the groups: the proportion of validation to validation and test photos
Rule = Callable[[NDArray[np.float64], NDArray[np.int64]], float]


def rules(false_positive_rate: float) -> dict[str, Rule]:
    """Rules that set a threshold from held-out scores and their groups."""
    return {
        "quantile of the photos": lambda scores, _: conformal_quantile(scores, false_positive_rate),
        "quantile that 19 in 20 bootstrap samples of groups stay below": lambda scores, groups: (
            grouped_quantile(scores, groups, false_positive_rate)
        ),
    }


def rates_elsewhere(
    scores: NDArray[np.float64], groups: NDArray[np.int64], rule: Rule, seed: int = 0
) -> NDArray[np.float64]:
    """False-positive rate in the other groups, float64 [SPLITS].

    Args:
        scores: float64 [N], of known photos that nothing was fitted on.
        groups: int64 [N], group numbers from 0 without gaps.
        rule: Sets the threshold from a third of the groups.
        seed: Seed of the splits.
    """
    generator, count = np.random.default_rng(seed), int(groups.max()) + 1
    rates = []
    for _ in range(SPLITS):
        held_out = np.isin(groups, generator.permutation(count)[: round(_HELD_OUT * count)])
        numbers = np.unique(groups[held_out], return_inverse=True)[1]
        rates.append(float((scores[~held_out] > rule(scores[held_out], numbers)).mean()))
    return np.array(rates)


def table(scores: NDArray[np.float64], groups: NDArray[np.int64], false_positive_rate: float) -> list[str]:
    """A Markdown table with a row for each rule."""
    lines = [
        f"| threshold for a false-positive rate of {false_positive_rate:.0%} | rate, mean | "
        f"splits over {MOST:.0%} |",
        "|---|---|---|",
    ]
    for name, rule in rules(false_positive_rate).items():
        rates = rates_elsewhere(scores, groups, rule)
        lines.append(f"| {name} | {rates.mean():.1%} | {(rates > MOST).mean():.1%} |")
    return lines
