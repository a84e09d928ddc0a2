"""The figures on the first screen, and what they were measured on."""

from __future__ import annotations

import hashlib

from phytoflow.evaluation.metrics.calibration import Calibration, measure_calibration
from phytoflow.evaluation.metrics.classification import measure
from phytoflow.evaluation.metrics.latency import Latency
from phytoflow.evaluation.predictions.table import PhotoPredictions, Unreadable
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.provenance import code_version


def headline(
    classifier: Classifier,
    predictions: PhotoPredictions,
    unreadable: tuple[Unreadable, ...],
    latency: Latency,
    settings: EvaluationSettings,
    seed: int,
) -> Metrics:
    """The figures every evaluation has; what is measured beyond them is added later.

    Args:
        classifier: That answered.
        predictions: Its answers.
        unreadable: Photos that could not be read.
        latency: Of one photo.
        settings: How the figures are made.
        seed: Of the bootstrap.
    """
    manifest = classifier.bundle.manifest
    return Metrics(
        **measure(predictions, settings, seed).model_dump(),
        mean_latency_ms=latency.mean,
        median_latency_ms=latency.median,
        p95_latency_ms=latency.p95,
        unreadable=unreadable,
        trained_on=classifier.bundle.count_trained_on(predictions.sha256),
        data_hash=manifest.provenance.data_hash,
        photos_hash=_photos_hash(predictions),
        bundle_version=manifest.version,
        runtime=classifier.choice.name,
        code_version=code_version(),
        seed=seed,
    )


def _photos_hash(predictions: PhotoPredictions) -> str:
    """Names the photos and their labels, whatever their order and file names."""
    rows = zip(predictions.sha256, predictions.labels, strict=True)
    lines = sorted(f"{digest} {predictions.classes[label]}" for digest, label in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def calibration(predictions: PhotoPredictions, settings: EvaluationSettings, seed: int) -> Calibration:
    """The calibration error of the answers, with what chance alone makes of it."""
    return measure_calibration(
        predictions.confidence,
        predictions.correct,
        predictions.group_numbers,
        bins=settings.calibration_bins,
        samples=settings.bootstrap_samples,
        level=settings.confidence_level,
        seed=seed,
    )
