import numpy as np
import pytest

from phytoflow.evaluation.selective import measure_selective
from phytoflow.inference.probabilities import softmax


def answers(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    top = np.array(confidence)
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


def test_the_curve_and_the_threshold_by_hand() -> None:
    probabilities, labels = answers([0.95, 0.9, 0.8, 0.7, 0.6], [True, True, True, False, False])
    found = measure_selective(probabilities, labels, 1.0, bins=10)
    assert found.coverage == pytest.approx((0.2, 0.4, 0.6, 0.8, 1.0))
    assert found.error == pytest.approx((0, 0, 0, 0.25, 0.4))
    assert found.area == pytest.approx(0.13)
    # Without asking 0.4 are wrong; 0.8 is the lowest confidence that leaves at most 0.2.
    assert found.ask_below == pytest.approx(0.8)
    assert found.asked == pytest.approx(0.4)
    assert found.error_kept == 0


def test_equal_confidences_stay_together() -> None:
    probabilities, labels = answers([0.9, 0.8, 0.8, 0.8], [True, True, False, False])
    assert measure_selective(probabilities, labels, 1.0, bins=10).ask_below == pytest.approx(0.9)


def test_without_mistakes_nobody_need_be_asked() -> None:
    found = measure_selective(*answers([0.9, 0.6], [True, True]), 1.0, bins=10)
    assert found.ask_below is None
    assert found.asked == found.error_kept == 0


def test_mistakes_surest_of_all_cannot_be_caught() -> None:
    found = measure_selective(*answers([0.99, 0.6, 0.6], [False, True, True]), 1.0, bins=10)
    assert found.ask_below is None


def test_the_temperature_is_taken_back() -> None:
    """Logits twice too sure: calibrated by 2 they are right as often as they say, and were not before."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (20000, 3)).astype(np.float32)
    honest = softmax(logits).astype(np.float64)
    labels = np.array([generator.choice(3, p=p / p.sum()) for p in honest])
    found = measure_selective(honest, labels, 2.0, bins=15)
    raw = softmax(2 * logits)
    gap = raw.max(1).mean() - (raw.argmax(1) == labels).mean()
    assert found.ece_uncalibrated == pytest.approx(gap, abs=0.02)
    assert found.ece_uncalibrated > 0.05
