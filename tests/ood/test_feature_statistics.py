"""Statistics of known photos' features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from phytoflow.bundle.reports import METHODS
from phytoflow.errors import BundleError
from phytoflow.ood.feature_statistics import AXES, FeatureStatistics, fit_statistics, unit
from phytoflow.ood.scores import score
from tests.ood.test_scores import clouds


def test_whitening_is_the_inverse_root_of_the_shrunk_covariance_within_classes() -> None:
    features, labels = clouds(3000, seed=0)
    statistics = fit_statistics(features, labels)
    along = (unit(features) - statistics.mean) @ statistics.axes
    means = np.stack([along[labels == label].mean(axis=0) for label in (0, 1)])
    shrunk = 0.9 * np.cov((along - means[labels]).T) + 0.1 * np.diag(statistics.variances)
    product = statistics.whitening @ statistics.whitening.T @ shrunk
    np.testing.assert_allclose(product, np.eye(len(product)), atol=0.01)
    np.testing.assert_allclose(means @ statistics.whitening, statistics.centres, atol=0.01)


def test_projection_splits_the_squared_length() -> None:
    features, labels = clouds(100, seed=0)
    statistics = fit_statistics(features, labels, axes=3)
    along, beyond = statistics.project(features)
    assert along.shape == (200, 3) and beyond.shape == (200,)
    lengths = ((unit(features) - statistics.mean) ** 2).sum(axis=1)
    np.testing.assert_allclose((along**2).sum(axis=1) + beyond, lengths, atol=1e-5)


def test_few_photos_give_few_axes() -> None:
    features, labels = clouds(5, seed=0)
    assert fit_statistics(features, labels).axes.shape == (20, 4)
    many = np.random.default_rng(0).normal(size=(400, 100)).astype(np.float32)
    assert fit_statistics(many, np.arange(400) % 2).axes.shape == (100, AXES)


def test_tensors_give_the_scores_of_arrays() -> None:
    statistics, (features, _) = fit_statistics(*clouds(100, seed=0)), clouds(10, seed=4)
    traced = statistics.convert(torch.from_numpy)
    logits = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    for method in METHODS:
        expected = score(method, statistics, logits, features)
        given = score(method, traced, torch.from_numpy(logits), torch.from_numpy(features))
        np.testing.assert_allclose(
            given.numpy(), expected, rtol=2e-3, atol=1e-4
        )  # rounding before a division


def test_the_bank_grows_with_the_classes() -> None:
    features, labels = clouds(1500, seed=0)
    assert len(fit_statistics(features, labels).bank) == 500
    assert len(fit_statistics(features, labels % 1).bank) == 250
    assert len(fit_statistics(features, np.arange(3000) % 20).bank) == 2000


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "s.npz").write_bytes(b"nothing")
    with pytest.raises(BundleError, match=r"s\.npz"):
        FeatureStatistics.load(tmp_path / "s.npz")


def test_saved_statistics_give_the_same_scores(tmp_path: Path) -> None:
    statistics = fit_statistics(*clouds(100, seed=0))
    statistics.save(tmp_path / "s.npz")
    again, (features, _) = FeatureStatistics.load(tmp_path / "s.npz"), clouds(10, seed=4)
    logits = np.random.default_rng(0).normal(size=(20, 2)).astype(np.float32)
    for method in METHODS:
        assert (score(method, again, logits, features) == score(method, statistics, logits, features)).all()
