"""From where on a photo is a stranger: scores of known photos that the statistics did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import Method
from phytoflow.ood.feature_statistics import fit
from phytoflow.ood.outputs import Answers
from phytoflow.ood.scores import score

_FOLDS, _SEED = 10, 0


def scores_of(method: Method, known: Answers) -> NDArray[np.float64]:
    """Scores of photos by statistics of other groups' photos, float64 [N] (cross-conformal, Vovk 2015).

    Where the network was trained on its validation photos too, none of its photos is more held out than
    another, and all together say where known photos end. The few of a small set's validation do not: one
    odd photo among 34 lets most strangers in.

    Args:
        method: Which score.
        known: Photos of at least two groups.
    """
    names, numbers = np.unique(known.groups, return_inverse=True)
    fold = (np.random.default_rng(_SEED).permutation(len(names)) % _FOLDS)[numbers]
    found = np.empty(len(known.labels))
    for number in np.unique(fold):
        inside = fold == number
        statistics = fit(known.features[~inside], known.labels[~inside])
        logits = known.logits[inside].astype(np.float64)
        found[inside] = score(method, statistics, logits, known.features[inside])
    return found
