import numpy as np
import pytest

from phytoflow.evaluation.metrics.calibration import Calibration, bin_by_confidence, measure_calibration


def test_bins_hold_what_falls_into_them() -> None:
    confidence = np.array([0.5, 0.51, 0.6, 1.0])
    found = bin_by_confidence(confidence, np.array([True, False, True, True]), bins=2)
    assert found.counts.tolist() == [1, 3]
    assert found.accuracy.tolist() == [1.0, pytest.approx(2 / 3)]
    assert found.confidence.tolist() == [0.5, pytest.approx(2.11 / 3)]
    assert found.ece == pytest.approx(0.25 * 0.5 + 0.75 * (2.11 / 3 - 2 / 3))


def test_honest_confidence_has_a_small_error() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 20_000)
    assert bin_by_confidence(confidence, rng.random(20_000) < confidence, bins=15).ece < 0.02
    assert bin_by_confidence(confidence, rng.random(20_000) < confidence - 0.2, bins=15).ece > 0.18


def test_empty_bins_are_left_out() -> None:
    found = bin_by_confidence(np.array([0.95, 0.95]), np.array([True, True]), bins=10)
    assert found.ece == pytest.approx(0.05)
    assert np.isnan(found.accuracy[:9]).all()


def measured(confidence: np.ndarray, correct: np.ndarray, seed: int = 0) -> Calibration:
    groups = np.arange(len(confidence))
    return measure_calibration(confidence, correct, groups, bins=15, samples=400, level=0.95, seed=seed)


def test_on_few_photos_perfect_calibration_shows_an_error_that_is_chance() -> None:
    random = np.random.default_rng(1)
    drawn = [random.beta(20, 1, 68).clip(0.5, 1) for _ in range(60)]
    found = [measured(c, random.random(68) < c, seed=s) for s, c in enumerate(drawn)]
    errors, expected = np.mean([f.ece for f in found]), np.mean([f.ece_if_calibrated for f in found])
    assert errors > 0.02  # the usual target cannot be shown on so few, however good the model
    assert expected == pytest.approx(errors, rel=0.1)
    assert np.mean([f.p_value < 0.05 for f in found]) <= 0.12
    assert np.mean([f.ece > f.ece_if_calibrated_p95 for f in found]) <= 0.12


def test_on_many_photos_chance_explains_little() -> None:
    random = np.random.default_rng(2)
    confidence = random.uniform(0.6, 1, 5000)
    sure = measured(confidence, random.random(5000) < confidence - 0.1)
    assert sure.ece_if_calibrated < 0.02
    assert sure.excess_ece == pytest.approx(0.1, abs=0.02)
    assert sure.p_value < 0.01
    assert sure.interval[0] < 0.1 < sure.interval[1]


def test_the_interval_widens_where_photos_show_the_same_leaf() -> None:
    random = np.random.default_rng(3)
    confidence = random.uniform(0.6, 1, 400)
    correct = random.random(400) < confidence - 0.15
    alone = measured(confidence, correct).interval
    twice = np.tile(np.arange(400), 4)
    four = measure_calibration(
        confidence[twice], correct[twice], twice, bins=15, samples=400, level=0.95, seed=0
    ).interval
    assert np.ptp(four) == pytest.approx(np.ptp(alone), rel=0.2)  # not half as wide
