import numpy as np
import pytest

from phytoflow.evaluation.metrics.selective import measure_selective
from phytoflow.evaluation.report.phrases import ask
from phytoflow.inference.predictions import softmax


def answers(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    top = np.array(confidence)
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


def test_the_curve_and_the_threshold_by_hand() -> None:
    confidence = [0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.85, 0.8, 0.7, 0.6]
    found = measure_selective(*answers(confidence, [True] * 8 + [False] * 2), 1.0, bins=10)
    assert found.coverage == pytest.approx(np.arange(1, 11) / 10)
    assert found.error == pytest.approx([0] * 8 + [1 / 9, 0.2])
    assert found.area == pytest.approx((1 / 9 + 0.2) / 10)
    # Without asking 0.2 are wrong; 0.8 is the lowest confidence that leaves at most 0.1.
    assert found.ask_below == pytest.approx(0.8)
    assert found.asked == pytest.approx(0.2)
    assert found.error_kept == 0


def test_equal_confidences_stay_together() -> None:
    confidence = [0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.8, 0.8]
    found = measure_selective(*answers(confidence, [True] * 7 + [False]), 1.0, bins=10)
    assert found.ask_below == pytest.approx(0.9)
    assert found.asked == 0.25


def test_nobody_is_told_to_ask_about_half_of_the_photos() -> None:
    found = measure_selective(*answers([0.9, 0.8, 0.7, 0.6], [True, False, True, True]), 1.0, bins=10)
    assert found.ask_below is None


def test_without_mistakes_nobody_need_be_asked() -> None:
    found = measure_selective(*answers([0.9, 0.6], [True, True]), 1.0, bins=10)
    assert found.ask_below is None
    assert found.asked == found.error_kept == 0


def test_mistakes_surest_of_all_cannot_be_caught() -> None:
    found = measure_selective(*answers([0.99, 0.6, 0.6], [False, True, True]), 1.0, bins=10)
    assert found.ask_below is None


def test_a_person_looks_at_what_is_unknown_however_sure_the_answer() -> None:
    confidence = [0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.9, 0.9, 0.8, 0.7]
    given = answers(confidence, [False] + [True] * 8 + [False])
    novelty = np.array([1.2] + [0.3] * 9)
    blind, seeing = (measure_selective(*given, 1.0, 10, novelty=n) for n in (None, novelty))
    assert blind.ask_below is None  # its surest answer is wrong
    assert seeing.ask_below == pytest.approx(0.8)
    assert seeing.error == pytest.approx([0] * 8 + [1 / 9, 0.2], abs=1e-9)
    assert (seeing.asked, seeing.unknown) == pytest.approx((0.2, 0.1))
    assert seeing.error_kept == 0
    assert "it calls unknown and those it is less than" in ask(seeing)


def test_what_is_unknown_may_be_all_a_person_need_look_at() -> None:
    given = answers([0.99, 0.9, 0.8, 0.7], [False, True, True, True])
    found = measure_selective(*given, 1.0, 10, novelty=np.array([1.5, 0, 0, 0]))
    assert found.ask_below == pytest.approx(0.7)
    assert found.asked == 0.25


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
