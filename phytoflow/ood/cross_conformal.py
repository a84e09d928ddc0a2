"""Cross-conformal OOD scores of known photos, from which the threshold is set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.reports import Method
from phytoflow.ood.feature_statistics import fit_statistics
from phytoflow.ood.outputs import ModelOutputs
from phytoflow.ood.scores import score

_FOLDS = 10  # the statistics of a fold lack a tenth of the photos: close to those that will serve
_SEED = 0


def cross_conformal_scores(method: Method, known: ModelOutputs) -> NDArray[np.float64]:
    """Scores each photo with statistics fitted on other groups (cross-conformal prediction, Vovk 2015).

    Meant for networks that were trained on their validation photos too. No photo is then more held out than
    another, so all of them set the threshold. The few validation photos of a small set cannot: one odd photo
    among 34 would raise the threshold until most OOD photos pass.

    Args:
        method: The OOD score.
        known: Photos of at least two groups.

    Returns:
        float64 [N].
    """
    names, numbers = np.unique(known.groups, return_inverse=True)
    fold_of_photo = (np.random.default_rng(_SEED).permutation(len(names)) % _FOLDS)[numbers]
    scores = np.empty(len(known.labels))
    for fold in np.unique(fold_of_photo):
        inside = fold_of_photo == fold
        statistics = fit_statistics(known.features[~inside], known.labels[~inside])
        logits = known.logits[inside].astype(np.float64)
        scores[inside] = score(method, statistics, logits, known.features[inside])
    return scores
