import numpy as np
import pytest

from phytoflow.evaluation.metrics.selective import RiskCoverage, measure_risk_coverage, ranking_confidence
from phytoflow.evaluation.report.phrases import describe_selective
from phytoflow.inference.predictions import softmax


def predictions(confidence: list[float], right: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    top = np.array(confidence)
    return np.stack([top, 1 - top], axis=1), np.where(right, 0, 1)


def measured(confidence: list[float], correct: list[bool]) -> RiskCoverage:
    return measure_risk_coverage(*predictions(confidence, correct), temperature=1.0, bins=10)


def test_the_curve_and_the_threshold_by_hand() -> None:
    confidence = [0.95, 0.94, 0.93, 0.92, 0.91, 0.9, 0.85, 0.8, 0.7, 0.6]
    found = measure_risk_coverage(
        *predictions(confidence, [True] * 8 + [False] * 2), temperature=1.0, bins=10
    )
    assert found.coverage == pytest.approx(np.arange(1, 11) / 10)
    assert found.error == pytest.approx([0] * 8 + [1 / 9, 0.2])
    assert found.aurc == pytest.approx((1 / 9 + 0.2) / 10)
    # Without deferring 0.2 are wrong; 0.8 is the lowest threshold that leaves at most 0.1.
    assert found.reject_below == pytest.approx(0.8)
    assert found.rejection_rate == pytest.approx(0.2)
    assert found.selective_risk == 0


def test_equal_confidences_stay_together() -> None:
    confidence = [0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.8, 0.8]
    found = measure_risk_coverage(*predictions(confidence, [True] * 7 + [False]), temperature=1.0, bins=10)
    assert found.reject_below == pytest.approx(0.9)
    assert found.rejection_rate == 0.25


def test_no_threshold_defers_half_of_the_photos() -> None:
    found = measure_risk_coverage(
        *predictions([0.9, 0.8, 0.7, 0.6], [True, False, True, True]), temperature=1.0, bins=10
    )
    assert found.reject_below is None


def test_without_mistakes_nothing_is_deferred() -> None:
    found = measure_risk_coverage(*predictions([0.9, 0.6], [True, True]), temperature=1.0, bins=10)
    assert found.reject_below is None
    assert found.rejection_rate == found.selective_risk == 0


def test_the_most_confident_mistakes_cannot_be_caught() -> None:
    found = measure_risk_coverage(
        *predictions([0.99, 0.6, 0.6], [False, True, True]), temperature=1.0, bins=10
    )
    assert found.reject_below is None


def test_unknown_photos_are_deferred_however_confident_the_answer() -> None:
    confidence = [0.99, 0.98, 0.97, 0.96, 0.95, 0.9, 0.9, 0.9, 0.8, 0.7]
    given = predictions(confidence, [False] + [True] * 8 + [False])
    novelty = np.array([1.2] + [0.3] * 9)
    blind, seeing = (
        measure_risk_coverage(*given, temperature=1.0, bins=10, novelty=n) for n in (None, novelty)
    )
    assert blind.reject_below is None  # its surest answer is wrong
    assert seeing.reject_below == pytest.approx(0.8)
    assert seeing.error == pytest.approx([0] * 8 + [1 / 9, 0.2], abs=1e-9)
    assert (seeing.rejection_rate, seeing.unknown) == pytest.approx((0.2, 0.1))
    assert seeing.selective_risk == 0
    assert "it calls unknown and those it is less than" in describe_selective(seeing)


def test_deferring_the_unknown_photos_may_be_enough() -> None:
    given = predictions([0.99, 0.9, 0.8, 0.7], [False, True, True, True])
    found = measure_risk_coverage(*given, temperature=1.0, bins=10, novelty=np.array([1.5, 0, 0, 0]))
    assert found.reject_below == pytest.approx(0.7)
    assert found.rejection_rate == 0.25


def test_the_temperature_is_undone() -> None:
    """Logits twice too sure: calibrated by 2 they are right as often as they say, and were not before."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (20000, 3)).astype(np.float32)
    honest = softmax(logits).astype(np.float64)
    labels = np.array([generator.choice(3, p=p / p.sum()) for p in honest])
    found = measure_risk_coverage(honest, labels, temperature=2.0, bins=15)
    raw = softmax(2 * logits)
    gap = raw.max(1).mean() - (raw.argmax(1) == labels).mean()
    assert found.ece_uncalibrated == pytest.approx(gap, abs=0.02)
    assert found.ece_uncalibrated > 0.05


def test_unknown_photos_rank_below_all_others() -> None:
    ranking = ranking_confidence(np.array([0.9, 0.8, 0.7]), np.array([1.5, 0.2, 1.0]))
    assert ranking == pytest.approx([-0.1, 0.8, 0.7])
    assert ranking_confidence(np.array([0.9]), None) == pytest.approx([0.9])
