"""The benchmark of several training processes: its figures."""

import numpy as np

from benchmarks.training.distributed import Training, largest_difference, row


def test_a_row_has_times_efficiency_and_the_largest_difference() -> None:
    first = Training(1, {"features": 8.0, "finetune": 12.0}, {"a": np.array([1.0, -4.0])})
    second = Training(2, {"features": 6.0, "finetune": 9.0}, {"a": np.array([1.0, -4.4])})
    assert row(first, first, 3) == "| 1 | 8.0 | 4.0 | 1.00 | 0.0e+00 |"
    assert row(second, first, 3) == "| 2 | 6.0 | 3.0 | 0.67 | 1.0e-01 |"


def test_differences_are_relative_to_the_largest_weight_of_a_layer() -> None:
    ones, other = np.ones(2), np.array([1.0, 1.5])
    assert largest_difference({"a": ones * 10, "b": ones}, {"a": ones * 10, "b": other}) == 0.5 / 1.5
