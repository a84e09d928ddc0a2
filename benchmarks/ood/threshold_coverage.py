"""How often a threshold set on some groups refuses too many photos of others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.metrics import conformal_quantile, sure_quantile

SPLITS, MOST = 200, 0.05
_HELD_OUT = 1 / 3  # of the groups: as validation beside test photos
Rule = Callable[[NDArray[np.float64], NDArray[np.int64]], float]


def rules(refused: float) -> dict[str, Rule]:
    """Ways to set a threshold from held-out scores and their groups."""
    return {
        "quantile of the photos": lambda scores, _: conformal_quantile(scores, refused),
        "quantile that 19 in 20 draws of groups stay below": lambda s, g: sure_quantile(s, g, refused),
    }


def refused_elsewhere(
    scores: NDArray[np.float64], groups: NDArray[np.int64], rule: Rule, seed: int = 0
) -> NDArray[np.float64]:
    """Share of photos refused in the rest of the groups, float64 [SPLITS].

    Args:
        scores: float64 [N], of known photos that nothing was fitted on.
        groups: int64 [N], group numbers from 0 without gaps.
        rule: Sets the threshold from a third of the groups.
        seed: Of the splits.
    """
    generator, count = np.random.default_rng(seed), int(groups.max()) + 1
    found = []
    for _ in range(SPLITS):
        held_out = np.isin(groups, generator.permutation(count)[: round(_HELD_OUT * count)])
        numbers = np.unique(groups[held_out], return_inverse=True)[1]
        found.append(float((scores[~held_out] > rule(scores[held_out], numbers)).mean()))
    return np.array(found)


def table(scores: NDArray[np.float64], groups: NDArray[np.int64], refused: float) -> list[str]:
    """Markdown, a line a rule."""
    lines = [
        f"| threshold, to refuse {refused:.0%} | refused, mean | splits over {MOST:.0%} |",
        "|---|---|---|",
    ]
    for name, rule in rules(refused).items():
        shares = refused_elsewhere(scores, groups, rule)
        lines.append(f"| {name} | {shares.mean():.1%} | {(shares > MOST).mean():.1%} |")
    return lines
