import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from phytoflow.evaluation.metrics.class_scores import HEADLINE_METRICS, class_counts, score_counts


def test_scores_agree_with_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels, predicted = random.integers(0, 4, 200), random.integers(0, 4, 200)
    scores = score_counts(np.asarray(class_counts(labels, predicted, 4).sum(axis=0)).ravel())
    precision, recall, f1, support = precision_recall_fscore_support(labels, predicted)
    np.testing.assert_allclose(scores.precision, precision)
    np.testing.assert_allclose(scores.recall, recall)
    np.testing.assert_allclose(scores.f1, f1)
    np.testing.assert_allclose(scores.support, support)
    assert scores.accuracy == pytest.approx((labels == predicted).mean())
    assert set(scores.headline_metrics()) == set(HEADLINE_METRICS)


def test_counts_of_several_samples_give_scores_of_each() -> None:
    counts = class_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).toarray()
    samples = np.stack([counts.sum(axis=0), counts[[0, 0, 2]].sum(axis=0)])
    assert score_counts(samples).accuracy == pytest.approx([2 / 3, 1])


def test_a_class_never_seen_has_no_scores_and_does_not_count() -> None:
    scores = score_counts(np.asarray(class_counts(np.array([0, 0]), np.array([0, 0]), 2).sum(axis=0)).ravel())
    assert scores.f1.tolist() == [1, 0] and scores.macro(scores.f1) == 1
