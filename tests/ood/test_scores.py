"""OOD scores of points whose distance from the known ones is evident."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.ood.feature_statistics import FeatureStatistics, fit_statistics, unit
from phytoflow.ood.metrics import auroc
from phytoflow.ood.scores import score

BY_FEATURES = ("mahalanobis", "relative_mahalanobis", "nearest_neighbours", "mean_neighbours")


def clouds(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes around two directions of 20: features float32 [2 * count, 20] and labels."""
    generator = np.random.default_rng(seed)
    centres = np.zeros((2, 20))
    centres[0, 0] = centres[1, 1] = 5
    labels = np.repeat([0, 1], count)
    return (centres[labels] + generator.normal(0, 0.3, (2 * count, 20))).astype(np.float32), labels


@pytest.fixture(scope="module")
def statistics() -> FeatureStatistics:
    return fit_statistics(*clouds(100, seed=0))


@pytest.mark.parametrize("method", BY_FEATURES)
def test_a_third_direction_scores_above_the_known_classes(method: str, statistics: FeatureStatistics) -> None:
    known, _ = clouds(50, seed=1)
    ood = np.zeros((50, 20), np.float32)
    ood[:, 2] = 5
    ood += np.random.default_rng(2).normal(0, 0.3, ood.shape).astype(np.float32)
    none = np.zeros((100, 2), np.float32)
    scores = [score(method, statistics, none[: len(f)], f) for f in (known, ood)]
    assert auroc(*scores) > 0.99


def test_logits_close_to_each_other_score_high(statistics: FeatureStatistics) -> None:
    certain, uncertain = np.array([[9, 0]], np.float32), np.array([[0.1, 0]], np.float32)
    features = np.ones((1, 20), np.float32)
    for method in ("max_probability", "energy"):
        assert score(method, statistics, uncertain, features) > score(method, statistics, certain, features)


def test_mahalanobis_with_all_axes_is_the_textbook_distance() -> None:
    """With every axis kept and no shrinkage left to matter, whitened distances are x' S^-1 x."""
    features, labels = clouds(4000, seed=3)
    features = features[:, :4] + np.array([0, 0, 3, 0], np.float32)
    statistics = fit_statistics(features, labels, axes=4)
    units = unit(features).astype(np.float64)
    means = np.stack([units[labels == c].mean(0) for c in (0, 1)])
    within = np.cov((units - means[labels]).T)
    along = (units - units.mean(0)) @ statistics.axes
    shrunk = 0.9 * statistics.axes.T @ within @ statistics.axes + 0.1 * np.diag(along.var(0))
    differences = (units[:, None] - means) @ statistics.axes
    expected = np.einsum("nck,kl,ncl->nc", differences, np.linalg.inv(shrunk), differences).min(1)
    scored = score("mahalanobis", statistics, np.zeros((len(features), 2), np.float32), features)
    np.testing.assert_allclose(scored, expected, rtol=0.02, atol=0.05)  # all axes are kept


def test_neighbour_scores_are_the_fifth_distance_and_the_mean_of_five() -> None:
    """With every axis kept, distances are the plain ones."""
    features, labels = clouds(100, seed=0)
    statistics, others = fit_statistics(features, labels, axes=20), clouds(20, seed=1)[0]
    units = unit(others)[:, None] - unit(features)
    five = np.sort(np.linalg.norm(units, axis=2), axis=1)[:, :5]
    for method, expected in {"nearest_neighbours": five[:, 4], "mean_neighbours": five.mean(axis=1)}.items():
        scored = score(method, statistics, np.zeros((40, 2), np.float32), others)
        np.testing.assert_allclose(scored, expected, atol=1e-3)


def test_directions_outside_the_axes_count_as_orthogonal(statistics: FeatureStatistics) -> None:
    features, _ = clouds(100, seed=0)
    scored = score("nearest_neighbours", statistics, np.zeros((200, 2), np.float32), features)
    units = unit(features)
    distances = np.sort(np.linalg.norm(units[:, None] - units, axis=2), axis=1)[:, 4]
    assert (scored >= distances - 1e-4).all()  # never nearer than the true distance
    assert np.corrcoef(scored, distances)[0, 1] > 0.8
