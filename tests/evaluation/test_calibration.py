import numpy as np
import pytest

from phytoflow.evaluation.calibration import reliability


def test_bins_hold_what_falls_into_them() -> None:
    confidence = np.array([0.5, 0.51, 0.6, 1.0])
    found = reliability(confidence, np.array([True, False, True, True]), bins=2)
    assert found.counts.tolist() == [1, 3]
    assert found.accuracy.tolist() == [1.0, pytest.approx(2 / 3)]
    assert found.confidence.tolist() == [0.5, pytest.approx(2.11 / 3)]
    assert found.ece == pytest.approx(0.25 * 0.5 + 0.75 * (2.11 / 3 - 2 / 3))


def test_honest_confidence_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    assert reliability(confidence, rng.random(20_000) < confidence, bins=15).ece < 0.02
    assert reliability(confidence, rng.random(20_000) < confidence - 0.2, bins=15).ece > 0.18


def test_empty_bins_are_left_out() -> None:
    found = reliability(np.array([0.95, 0.95]), np.array([True, True]), bins=10)
    assert found.ece == pytest.approx(0.05)
    assert np.isnan(found.accuracy[:9]).all()
