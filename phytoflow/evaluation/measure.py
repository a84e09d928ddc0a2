"""Assembles the metrics of an evaluation from its parts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.audit.background_bias import measure_background_bias
from phytoflow.evaluation.audit.embeddings import embed_photos
from phytoflow.evaluation.audit.leakage import audit_leakage
from phytoflow.evaluation.external.evaluate import ExternalPhotos, evaluate_external
from phytoflow.evaluation.metrics.calibration import Calibration, measure_calibration
from phytoflow.evaluation.metrics.classification import measure_classification
from phytoflow.evaluation.metrics.latency import measure_latency
from phytoflow.evaluation.metrics.ood import measure_ood
from phytoflow.evaluation.metrics.selective import RiskCoverage, measure_risk_coverage
from phytoflow.evaluation.predictions.table import PhotoPredictions, Unreadable
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.robustness.benchmark import measure_robustness
from phytoflow.evaluation.robustness.schema import Robustness
from phytoflow.evaluation.samples import TestPhotoSamples
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.variants.benchmark import benchmark_variants
from phytoflow.inference.classifier import Classifier
from phytoflow.provenance import code_version


@dataclass(frozen=True)
class TestSet:
    """The test photos after they were classified.

    Attributes:
        predictions: The predictions.
        unreadable: Photos that could not be read.
        samples: Samples of the photos.
    """

    __test__ = False  # pytest: not a test

    predictions: PhotoPredictions
    unreadable: tuple[Unreadable, ...]
    samples: TestPhotoSamples


def measure(
    classifier: Classifier,
    test: TestSet,
    settings: EvaluationSettings,
    seed: int,
    *,
    work: Path,
    external: ExternalPhotos | None = None,
    dataset: Dataset | None = None,
) -> Metrics:
    """Measures everything that the settings ask for.

    Args:
        classifier: The opened bundle.
        test: The classified test photos.
        settings: What is measured and how.
        seed: Seed of bootstraps and samples.
        work: Folder for photos that are not local yet.
        external: The external test set, if there is one.
        dataset: The data the bundle was trained on, for the audits.
    """
    predictions, samples, manifest = test.predictions, test.samples, classifier.bundle.manifest
    latency = measure_latency(classifier, samples.timed.contents)
    audited = None
    if dataset and settings.audit_photos:
        audited = embed_photos(classifier, dataset, settings.audit_photos, seed)
    variants = None
    if samples.compared.photos:
        variants = benchmark_variants(classifier, samples.compared.photos, settings, seed)
    return Metrics(
        **dict(measure_classification(predictions, settings, seed)),
        mean_latency_ms=latency.mean,
        median_latency_ms=latency.median,
        p95_latency_ms=latency.p95,
        cpu_latency_ms=latency.cpu,
        unreadable=test.unreadable,
        trained_on=classifier.bundle.count_trained_on(predictions.sha256),
        data_hash=manifest.provenance.data_hash,
        photos_hash=_photos_hash(predictions),
        bundle_version=manifest.version,
        runtime=classifier.choice.name,
        code_version=code_version(),
        seed=seed,
        calibration=_calibration(predictions, settings, seed),
        selective=_selective(classifier, predictions, settings),
        robustness=_robustness(classifier, samples.corrupted.photos, seed),
        variants=variants,
        ood=measure_ood(classifier, predictions.novelty, settings.ood_data, work),
        leaks=audit_leakage(audited, seed) if audited else None,
        background_bias=measure_background_bias(audited, seed) if audited else None,
        external=evaluate_external(classifier, external, predictions, settings, seed) if external else None,
    )


def _photos_hash(predictions: PhotoPredictions) -> str:
    """Hash of the photos and their labels, regardless of their order and file names."""
    rows = zip(predictions.sha256, predictions.labels, strict=True)
    lines = sorted(f"{digest} {predictions.classes[label]}" for digest, label in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _calibration(predictions: PhotoPredictions, settings: EvaluationSettings, seed: int) -> Calibration:
    return measure_calibration(
        predictions.confidence,
        predictions.correct,
        predictions.group_numbers,
        bins=settings.calibration_bins,
        samples=settings.bootstrap_samples,
        level=settings.confidence_level,
        seed=seed,
    )


def _selective(
    classifier: Classifier, predictions: PhotoPredictions, settings: EvaluationSettings
) -> RiskCoverage:
    return measure_risk_coverage(
        predictions.probabilities,
        predictions.labels,
        temperature=classifier.bundle.manifest.temperature,
        bins=settings.calibration_bins,
        novelty=predictions.novelty,
    )


def _robustness(classifier: Classifier, photos: Sequence[LabelledPhoto], seed: int) -> Robustness | None:
    if not photos:
        return None
    pixels = [classifier.bundle.manifest.preprocessing.decode(photo.content) for photo in photos]
    labels = np.array([classifier.classes.index(photo.label) for photo in photos], np.int64)
    return measure_robustness(classifier, pixels, labels, seed)
