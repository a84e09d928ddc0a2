import numpy as np
import pytest

from phytoflow.evaluation.metrics.calibration import bin_by_confidence
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.variants.gains import ResampledMetrics

SETTINGS = EvaluationSettings(bootstrap_samples=300)


def measured(correct: np.ndarray, groups: np.ndarray) -> ResampledMetrics:
    """A variant that is 90% sure of every answer, on photos of the first of two classes."""
    probabilities = np.where(correct[:, None], [0.9, 0.1], [0.1, 0.9])
    return ResampledMetrics.measure(probabilities, np.zeros(len(correct), np.int64), groups, SETTINGS, seed=0)


def test_metrics_are_those_of_the_evaluation() -> None:
    random = np.random.default_rng(0)
    rows, labels = random.dirichlet((1, 1, 1), 200), random.integers(0, 3, 200)
    found = ResampledMetrics.measure(rows, labels, np.arange(200), SETTINGS, seed=0).point
    correct = rows.argmax(1) == labels
    assert found["accuracy"] == pytest.approx(correct.mean())
    bins = bin_by_confidence(rows.max(1), correct, SETTINGS.calibration_bins)
    assert found["ece"] == pytest.approx(bins.ece)


def test_a_gain_on_one_leaf_is_chance_and_on_many_it_is_not() -> None:
    groups = np.arange(200) // 10
    plain = np.arange(200) % 10 != 0  # one photo of each leaf is wrong
    first = measured(plain, groups)
    many, one = measured(np.ones(200, bool), groups), measured(np.where(groups == 3, True, plain), groups)
    assert many.gains(first)["accuracy"] == pytest.approx(0.1)
    assert many.intervals(first, 0.95)["accuracy"][0] > 0.05
    assert one.gains(first)["accuracy"] == pytest.approx(0.005)
    assert one.intervals(first, 0.95)["accuracy"][0] == pytest.approx(0, abs=1e-12)
    assert many.gains(first)["ece"] == pytest.approx(0.1)  # right every time, and 90% sure
