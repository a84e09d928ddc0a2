"""What is kept of a photo."""

import numpy as np
import pytest

from phytoflow.monitoring.observations import WATCHED, Observations, observe
from phytoflow.ood.feature_statistics import AXES, fit_statistics
from phytoflow.ood.scores import score
from tests.ood.test_scores import clouds


def test_measures_of_features_are_those_of_the_ood_scores() -> None:
    features, labels = clouds(50, seed=0)
    statistics = fit_statistics(features, labels)
    others = clouds(5, seed=1)[0]
    count = len(others)
    seen = observe(np.zeros(count, int), np.ones(count, np.float32), None, others, statistics)
    along, beyond = statistics.project(others)
    expected = score("mahalanobis", statistics, others, others) - beyond / statistics.rest
    np.testing.assert_allclose(seen.measures[:, 0], expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(seen.measures[:, 1], beyond, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.exp(seen.measures[:, 2]), np.linalg.norm(others, axis=1), rtol=1e-5)
    np.testing.assert_allclose(seen.components, along / np.sqrt(statistics.variances), rtol=1e-5)


def test_a_photo_whose_features_were_not_stored_lacks_only_them() -> None:
    features, labels = clouds(50, seed=0)
    statistics = fit_statistics(features, labels)
    some = features[:4].copy()
    some[2] = np.nan
    seen = observe(np.arange(4), np.full(4, 0.9), np.array([0, 2.0, 0, 0]), some, statistics)
    assert np.isnan(seen.components).all(axis=1).tolist() == [False, False, True, False]
    assert seen.unknown.tolist() == [False, True, False, False]
    assert np.isfinite(seen.confidence).all()


def test_without_statistics_the_prediction_alone_is_watched() -> None:
    seen = observe(np.arange(3), np.full(3, 0.5), None, None, None)
    assert seen.watched.shape == (3, len(WATCHED)) == (3, 5 + AXES)
    assert np.isfinite(seen.watched).sum(axis=0).tolist() == [3] + [0] * (len(WATCHED) - 1)
    assert not seen.unknown.any()


def test_parts_join_in_order() -> None:
    parts = [observe(np.array([i]), np.array([i / 10]), None, None, None) for i in range(4)]
    whole = Observations.concatenate(parts)
    assert whole.label.tolist() == [0, 1, 2, 3]
    assert whole.select(slice(1, 3)).confidence.tolist() == pytest.approx([0.1, 0.2])
