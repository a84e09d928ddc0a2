"""Benchmarks the variants of a bundle's inference on test photos: what each costs and what it gains."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.variants.gains import ResampledMetrics
from phytoflow.evaluation.variants.inference import InferenceVariant, open_variants
from phytoflow.evaluation.variants.schema import Variant, Variants
from phytoflow.inference.classifier import Classifier
from phytoflow.system.progress import track


def benchmark_variants(
    classifier: Classifier, photos: Sequence[LabelledPhoto], settings: EvaluationSettings, seed: int
) -> Variants:
    """Classifies every photo with every variant, one photo at a time, the variants taking turns.

    Args:
        classifier: The first variant, with which the others are compared.
        photos: Readable test photos of the bundle's classes.
        settings: Number of resamples, confidence level and bins.
        seed: Seed of the bootstrap.
    """
    variants = open_variants(classifier)
    probabilities, milliseconds = _run(variants, photos)
    labels = np.array([classifier.classes.index(photo.label) for photo in photos])
    groups = np.unique([photo.group for photo in photos], return_inverse=True)[1]
    metrics = [ResampledMetrics.measure(p, labels, groups, settings, seed) for p in probabilities]
    predicted = probabilities.argmax(axis=2)
    agreement = (predicted == predicted[0]).mean(axis=1)
    tried = (
        _summarise(
            variant,
            float(milliseconds[i]),
            float(agreement[i]),
            metrics[i],
            metrics[0],
            settings.confidence_level,
        )
        for i, variant in enumerate(variants)
    )
    return Variants(photos=len(photos), confidence_level=settings.confidence_level, tried=tuple(tried))


def _run(
    variants: Sequence[InferenceVariant], photos: Sequence[LabelledPhoto]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Probabilities, float64 [variants, N, C], and median milliseconds, float64 [variants].

    The variants take turns on each photo, so that a busy moment of the machine hits all of them.
    """
    turns = [
        [_time(variant, photo.content) for variant in variants]
        for photo in track(photos, "Comparing variants")
    ]
    probabilities = np.array([[row for row, _ in turn] for turn in turns], np.float64).swapaxes(0, 1)
    return probabilities, np.median([[ms for _, ms in turn] for turn in turns], axis=0)


def _time(variant: InferenceVariant, content: bytes) -> tuple[NDArray[np.float32], float]:
    """Probabilities of one photo and the milliseconds they took."""
    started = time.perf_counter()
    probabilities = variant.predict(content)
    return probabilities, (time.perf_counter() - started) * 1000


def _summarise(
    variant: InferenceVariant,
    milliseconds: float,
    agreement: float,
    metrics: ResampledMetrics,
    first: ResampledMetrics,
    level: float,
) -> Variant:
    return Variant(
        runtime=variant.classifier.choice.name,
        precision=variant.classifier.choice.precision,
        tta=variant.tta,
        bytes=variant.file_size,
        milliseconds=milliseconds,
        **metrics.point,
        agreement=agreement,
        gains=metrics.gains(first),
        intervals=metrics.intervals(first, level),
    )
