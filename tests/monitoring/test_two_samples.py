"""Tests between two samples: p-values of known cases."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from phytoflow.monitoring.two_samples import class_shift, maximum_mean_discrepancy, univariate_shift


def test_the_same_classes_are_no_shift_and_others_are() -> None:
    labels = np.repeat([0, 1, 2], 40)
    assert class_shift(labels, labels, 4) == pytest.approx(1)
    assert class_shift(labels, np.repeat([0, 1, 2], [10, 10, 100]), 4) < 1e-6
    assert class_shift(np.zeros(9, int), np.zeros(9, int), 4) == 1


def test_a_moved_value_is_significant() -> None:
    values = np.random.default_rng(0).normal(size=200).astype(np.float32)
    assert univariate_shift(values, values) == 1
    assert univariate_shift(values, values + 1) < 1e-6


def test_the_p_value_is_that_of_kolmogorov_and_smirnov_for_many_photos() -> None:
    generator = np.random.default_rng(1)
    first = generator.normal(size=700).astype(np.float32).round(1)  # with ties
    second = generator.normal(0.1, size=900).astype(np.float32).round(1)
    expected = ks_2samp(first, second, method="asymp").pvalue
    assert univariate_shift(first, second) == pytest.approx(expected, rel=0.1)


def test_discrepancies_are_significant_as_often_as_p_values_say() -> None:
    generator = np.random.default_rng(0)
    p_values = []
    for _ in range(20):
        rows = generator.normal(size=(120, 6)).astype(np.float32)
        p_values.append(maximum_mean_discrepancy(rows[:60], rows[60:])[1])
    assert 0.2 < np.mean(p_values) < 0.8
    assert min(p_values) >= 1 / 201
    rows = generator.normal(size=(120, 6)).astype(np.float32)
    rows[60:, 0] += 2
    value, p_value = maximum_mean_discrepancy(rows[:60], rows[60:])
    assert p_value == pytest.approx(1 / 201)
    assert value > 0.05
