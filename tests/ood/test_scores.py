"""Scores on points whose strangeness can be seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.manifest import METHODS
from phytoflow.errors import BundleError
from phytoflow.ood.feature_statistics import Statistics, fit, unit
from phytoflow.ood.metrics import auroc, auroc_error, conformal_quantile, fpr95
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
def statistics() -> Statistics:
    return fit(*clouds(100, seed=0))


@pytest.mark.parametrize("method", BY_FEATURES)
def test_a_third_direction_is_stranger_than_known_classes(method: str, statistics: Statistics) -> None:
    known, _ = clouds(50, seed=1)
    strange = np.zeros((50, 20), np.float32)
    strange[:, 2] = 5
    strange += np.random.default_rng(2).normal(0, 0.3, strange.shape).astype(np.float32)
    none = np.zeros((100, 2), np.float32)
    scores = [score(method, statistics, none[: len(f)], f) for f in (known, strange)]
    assert auroc(*scores) > 0.99


def test_logits_near_each_other_are_strange(statistics: Statistics) -> None:
    sure, unsure = np.array([[9, 0]], np.float32), np.array([[0.1, 0]], np.float32)
    features = np.ones((1, 20), np.float32)
    for method in ("max_probability", "energy"):
        assert score(method, statistics, unsure, features) > score(method, statistics, sure, features)


def test_mahalanobis_of_all_axes_is_the_textbooks() -> None:
    """With every axis kept and no shrinkage left to matter, whitened distances are x' S^-1 x."""
    features, labels = clouds(4000, seed=3)
    features = features[:, :4] + np.array([0, 0, 3, 0], np.float32)
    statistics = fit(features, labels, axes=4)
    units = unit(features).astype(np.float64)
    means = np.stack([units[labels == c].mean(0) for c in (0, 1)])
    within = np.cov((units - means[labels]).T)
    along = (units - units.mean(0)) @ statistics.axes
    shrunk = 0.9 * statistics.axes.T @ within @ statistics.axes + 0.1 * np.diag(along.var(0))
    differences = (units[:, None] - means) @ statistics.axes
    expected = np.einsum("nck,kl,ncl->nc", differences, np.linalg.inv(shrunk), differences).min(1)
    found = score("mahalanobis", statistics, np.zeros((len(features), 2), np.float32), features)
    np.testing.assert_allclose(found, expected, rtol=0.02, atol=0.05)  # nothing is left out, but for rounding


def test_neighbours_are_the_fifth_and_the_mean_of_five() -> None:
    """With every axis kept, distances are the plain ones."""
    features, labels = clouds(100, seed=0)
    statistics, others = fit(features, labels, axes=20), clouds(20, seed=1)[0]
    units = unit(others)[:, None] - unit(features)
    five = np.sort(np.linalg.norm(units, axis=2), axis=1)[:, :5]
    for method, expected in {"nearest_neighbours": five[:, 4], "mean_neighbours": five.mean(axis=1)}.items():
        found = score(method, statistics, np.zeros((40, 2), np.float32), others)
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_directions_left_out_count_as_at_right_angles(statistics: Statistics) -> None:
    features, _ = clouds(100, seed=0)
    found = score("nearest_neighbours", statistics, np.zeros((200, 2), np.float32), features)
    units = unit(features)
    distances = np.sort(np.linalg.norm(units[:, None] - units, axis=2), axis=1)[:, 4]
    assert (found >= distances - 1e-4).all()  # never nearer than the true distance
    assert np.corrcoef(found, distances)[0, 1] > 0.8


def test_the_bank_grows_with_the_classes() -> None:
    features, labels = clouds(1500, seed=0)
    assert len(fit(features, labels).bank) == 500
    assert len(fit(features, labels % 1).bank) == 250
    assert len(fit(features, np.arange(3000) % 20).bank) == 2000


def test_saved_statistics_score_alike(statistics: Statistics, tmp_path: Path) -> None:
    statistics.save(tmp_path / "s.npz")
    again, (features, _) = Statistics.load(tmp_path / "s.npz"), clouds(10, seed=4)
    logits = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    for method in METHODS:
        assert (score(method, again, logits, features) == score(method, statistics, logits, features)).all()


def test_damaged_statistics_are_said(tmp_path: Path) -> None:
    (tmp_path / "s.npz").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"s\.npz"):
        Statistics.load(tmp_path / "s.npz")


def test_auroc_counts_pairs_with_ties_half() -> None:
    assert auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == (1 + 1 + 1 + 0.5) / 4
    generator = np.random.default_rng(5)
    known, strange = generator.integers(0, 9, 40) * 1.0, generator.integers(3, 12, 30) * 1.0
    pairs = (strange[:, None] > known).mean() + 0.5 * (strange[:, None] == known).mean()
    assert auroc(known, strange) == pytest.approx(pairs)


def test_fpr95_lets_95_of_100_known_through() -> None:
    known = np.arange(100.0)
    assert fpr95(known, np.array([94.0, 95.0, 96.0, 200.0])) == 0.5


def test_the_conformal_threshold_refuses_at_most_its_share() -> None:
    """Over many draws the next photo is refused with the promised chance, not more."""
    generator, refused = np.random.default_rng(6), []
    for _ in range(2000):
        scores = generator.normal(size=41)
        refused.append(scores[40] > conformal_quantile(scores[:40], 0.05))
    assert np.mean(refused) < 0.065
    assert conformal_quantile(np.arange(5.0), 0.05) == 4  # too few to promise: the largest


def test_the_error_of_an_auroc_is_what_resampling_shows() -> None:
    generator = np.random.default_rng(7)
    areas = [auroc(generator.normal(size=40), generator.normal(1.5, 1, 60)) for _ in range(2000)]
    assert auroc_error(float(np.mean(areas)), 40, 60) == pytest.approx(np.std(areas), rel=0.2)
