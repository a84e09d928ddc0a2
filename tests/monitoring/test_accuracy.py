"""Accuracy without labels."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binomtest

from phytoflow.monitoring.accuracy import (
    FEWEST_LABELS,
    confidence_threshold,
    estimate_accuracy,
    label_interval,
)
from tests.support.drift import draw, draw_reference


def test_on_the_reference_itself_the_estimate_is_its_accuracy() -> None:
    reference = draw_reference(0, 400)
    estimate = estimate_accuracy(reference, reference.observations)
    known = ~reference.observations.unknown
    assert estimate.reference == pytest.approx(reference.correct[known].mean())
    assert estimate.thresholded == pytest.approx(estimate.reference)
    assert estimate.mean_confidence == pytest.approx(estimate.reference, abs=0.03)
    assert estimate.drop == pytest.approx(0)


def test_the_threshold_leaves_out_as_many_as_were_wrong() -> None:
    confidence = np.array([0.9, 0.5, 0.7, 0.6], np.float32)
    assert confidence_threshold(confidence, 0.5) == pytest.approx(0.6)
    assert confidence_threshold(confidence, 1.0) < 0


def test_less_confident_photos_are_expected_to_be_less_often_right() -> None:
    reference = draw_reference(0, 400)
    photos = draw(np.random.default_rng(1), 300)
    worse = replace(photos, confidence=photos.confidence - 0.2)
    estimate, usual = (estimate_accuracy(reference, seen) for seen in (worse, photos))
    assert estimate.thresholded is not None and usual.thresholded is not None
    assert estimate.thresholded < usual.thresholded - 0.2


def test_where_many_photos_are_unknown_there_is_no_estimate() -> None:
    reference, photos = draw_reference(0, 400), draw(np.random.default_rng(1), 100)
    novelty = np.where(np.arange(100) < 21, 2, 0).astype(np.float32)
    estimate = estimate_accuracy(reference, replace(photos, novelty=novelty))
    assert estimate.unknown_share == pytest.approx(0.21)
    assert estimate.thresholded is estimate.mean_confidence is estimate.drop is None
    novelty[0] = 0
    assert estimate_accuracy(reference, replace(photos, novelty=novelty)).thresholded is not None


def test_labels_count_from_thirty_on() -> None:
    reference, photos = draw_reference(0, 400), draw(np.random.default_rng(1), 100)
    right = np.arange(FEWEST_LABELS) > 2
    labelled = estimate_accuracy(reference, photos, right).labelled
    assert labelled == label_interval(right)
    interval = binomtest(27, 30).proportion_ci(method="wilson")
    assert (labelled.low, labelled.high) == pytest.approx((interval.low, interval.high), abs=1e-4)
    assert estimate_accuracy(reference, photos, right[1:]).labelled is None
