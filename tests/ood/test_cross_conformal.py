"""Each photo is scored with statistics of other groups."""

import numpy as np

from phytoflow.ood.cross_conformal import cross_conformal_scores
from phytoflow.ood.feature_statistics import fit_statistics
from phytoflow.ood.outputs import ModelOutputs
from phytoflow.ood.scores import score
from tests.ood.test_scores import clouds


def outputs(copies: int) -> ModelOutputs:
    """Twenty leaves, each photographed ``copies`` times with nearly the same features."""
    features, labels = clouds(10, seed=0)
    noise = np.random.default_rng(1).normal(0, 1e-3, (20 * copies, 20)).astype(np.float32)
    features = np.repeat(features, copies, axis=0) + noise
    groups = np.repeat(np.arange(20).astype(str), copies)
    return ModelOutputs(features[:, :2], features, np.repeat(labels, copies), groups)


def test_photos_of_the_same_leaf_do_not_vouch_for_each_other() -> None:
    """With five more photos of its leaf in the statistics a photo would lie at distance zero."""
    known = outputs(copies=6)
    own = fit_statistics(known.features, known.labels)
    with_own_leaf = score("mean_neighbours", own, known.logits, known.features)
    conformal = cross_conformal_scores("mean_neighbours", known)
    assert with_own_leaf.max() < 0.01 < 0.05 < conformal.min()


def test_the_scores_are_those_of_statistics_without_the_fold() -> None:
    """With as many groups as folds each group is a fold of its own."""
    known = outputs(copies=1)
    ten = known.select(np.arange(20) % 2 == 0)
    scores = cross_conformal_scores("mahalanobis", ten)
    for row in range(10):
        rest = ten.select(np.arange(10) != row)
        statistics = fit_statistics(rest.features, rest.labels)
        expected = score("mahalanobis", statistics, ten.logits[[row]], ten.features[[row]])
        np.testing.assert_allclose(scores[row], expected[0], rtol=1e-5)
