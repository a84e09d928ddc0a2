"""AUROC, FPR95, and thresholds that hold for later photos and leaves."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.ood.metrics import auroc, auroc_error, conformal_quantile, fpr95, grouped_quantile


def test_the_quantile_is_a_held_out_score() -> None:
    known = np.arange(1.0, 101.0)
    assert conformal_quantile(known, 0.05) == 96  # ceil(101 * 0.95)
    assert conformal_quantile(known[:5], 0.05) == 5  # too few to guarantee it
    assert fpr95(known, np.array([50.0, 97.0])) == 0.5
    assert auroc(known, np.array([0.0, 101.0])) == pytest.approx(0.5)


def leaves(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores of seven photos each of some leaves, most of the spread between leaves."""
    of_leaf = generator.normal(0, 1, count)
    return (of_leaf[:, None] + generator.normal(0, 0.3, (count, 7))).ravel(), np.repeat(np.arange(count), 7)


def test_other_leaves_seldom_exceed_the_false_positive_rate() -> None:
    generator = np.random.default_rng(0)
    over = {"plain": 0, "grouped": 0}
    for _ in range(100):
        known, groups = leaves(40, generator)
        later, _ = leaves(2000, generator)
        over["plain"] += int((later > conformal_quantile(known, 0.05)).mean() > 0.08)
        over["grouped"] += int((later > grouped_quantile(known, groups, 0.05)).mean() > 0.08)
    assert over["plain"] > 20
    assert over["grouped"] < 10


def test_a_single_group_gives_the_plain_quantile() -> None:
    known = np.arange(1.0, 101.0)
    assert grouped_quantile(known, np.zeros(100, np.int64), 0.05) == conformal_quantile(known, 0.05)


def test_auroc_counts_pairs_with_ties_half() -> None:
    assert auroc(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == (1 + 1 + 1 + 0.5) / 4
    generator = np.random.default_rng(5)
    known, ood = generator.integers(0, 9, 40) * 1.0, generator.integers(3, 12, 30) * 1.0
    pairs = (ood[:, None] > known).mean() + 0.5 * (ood[:, None] == known).mean()
    assert auroc(known, ood) == pytest.approx(pairs)


def test_fpr95_accepts_95_of_100_known_photos() -> None:
    known = np.arange(100.0)
    assert fpr95(known, np.array([94.0, 95.0, 96.0, 200.0])) == 0.5


def test_the_conformal_quantile_is_exceeded_no_more_often_than_asked() -> None:
    """Over many draws the next photo exceeds it with the probability asked for, not more."""
    generator, exceeded = np.random.default_rng(6), []
    for _ in range(2000):
        scores = generator.normal(size=41)
        exceeded.append(scores[40] > conformal_quantile(scores[:40], 0.05))
    assert np.mean(exceeded) < 0.065
    assert conformal_quantile(np.arange(5.0), 0.05) == 4  # too few to guarantee it: the largest


def test_the_error_of_an_auroc_is_what_resampling_shows() -> None:
    generator = np.random.default_rng(7)
    areas = [auroc(generator.normal(size=40), generator.normal(1.5, 1, 60)) for _ in range(2000)]
    assert auroc_error(float(np.mean(areas)), 40, 60) == pytest.approx(np.std(areas), rel=0.2)
