"""Thresholds hold for photos, and leaves, that come later."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.ood.metrics import auroc, conformal_quantile, fpr95, sure_quantile


def test_the_quantile_is_a_held_out_score() -> None:
    known = np.arange(1.0, 101.0)
    assert conformal_quantile(known, 0.05) == 96  # ceil(101 * 0.95)
    assert conformal_quantile(known[:5], 0.05) == 5  # too few to promise it
    assert fpr95(known, np.array([50.0, 97.0])) == 0.5
    assert auroc(known, np.array([0.0, 101.0])) == pytest.approx(0.5)


def leaves(count: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scores of seven photos each of some leaves, most of the spread between leaves."""
    of_leaf = generator.normal(0, 1, count)
    return (of_leaf[:, None] + generator.normal(0, 0.3, (count, 7))).ravel(), np.repeat(np.arange(count), 7)


def test_other_leaves_are_seldom_refused_more_often_than_allowed() -> None:
    generator = np.random.default_rng(0)
    over = {"plain": 0, "sure": 0}
    for _ in range(100):
        known, groups = leaves(40, generator)
        later, _ = leaves(2000, generator)
        over["plain"] += int((later > conformal_quantile(known, 0.05)).mean() > 0.08)
        over["sure"] += int((later > sure_quantile(known, groups, 0.05)).mean() > 0.08)
    assert over["plain"] > 20
    assert over["sure"] < 10


def test_a_single_group_gives_the_plain_quantile() -> None:
    known = np.arange(1.0, 101.0)
    assert sure_quantile(known, np.zeros(100, np.int64), 0.05) == conformal_quantile(known, 0.05)
