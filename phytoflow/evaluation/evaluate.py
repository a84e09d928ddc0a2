"""A bundle on labelled photos: figures, pictures, predictions and the report, in one folder."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.config import EvaluationSettings
from phytoflow.data.dataset import Dataset
from phytoflow.data.photo import LabelledPhoto
from phytoflow.evaluation.audit import look
from phytoflow.evaluation.background import BackgroundProbe, probe_background
from phytoflow.evaluation.calibration import Calibration, measure_calibration, reliability
from phytoflow.evaluation.card import CARD_FILE, model_card
from phytoflow.evaluation.examples import Examples
from phytoflow.evaluation.field import measure_field, open_field
from phytoflow.evaluation.kept import FirstPhotos, RandomPhotos
from phytoflow.evaluation.latency import Latency, measure_latency
from phytoflow.evaluation.leaks import LeakAudit, audit_leaks
from phytoflow.evaluation.measure import measure
from phytoflow.evaluation.metrics import METRICS_FILE, Metrics, Unreadable
from phytoflow.evaluation.open_set import measure_open_set
from phytoflow.evaluation.pictures import confusion_figure, png, reliability_figure, risk_figure
from phytoflow.evaluation.predict import predict_photos
from phytoflow.evaluation.predictions import PhotoPredictions
from phytoflow.evaluation.report import REPORT_FILE, Pictures, render_report
from phytoflow.evaluation.robustness import Robustness, measure_robustness
from phytoflow.evaluation.selective import measure_selective
from phytoflow.evaluation.shown import shown
from phytoflow.evaluation.ways import measure_ways
from phytoflow.inference.classifier import Classifier
from phytoflow.provenance import code_version
from phytoflow.storage.atomic import atomic_file

CONFUSION_FILE, RELIABILITY_FILE = "confusion_matrix.png", "reliability.png"


def evaluate(
    bundle: Path,
    photos: Iterable[LabelledPhoto],
    settings: EvaluationSettings,
    output: Path,
    seed: int,
    *,
    curves: Path | None = None,
    total: int | None = None,
    dataset: Dataset | None = None,
    model: Path | None = None,
) -> Metrics:
    """Measures an exported model as it will be served: photo bytes in, probabilities out.

    Writes ``predictions.csv``, ``confusion_matrix.png``, ``reliability.png``, ``report.html``,
    ``model_card.md`` and, last, ``metrics.json``: a folder that has it is whole. Other files in the folder
    are left alone.

    Args:
        bundle: The bundle's folder.
        photos: Photos the model was not trained on; streamed once.
        settings: How the figures are made.
        output: The folder to write.
        seed: Of the bootstrap.
        curves: A picture of the training curves, for the report.
        total: Number of photos, for the progress bar.
        dataset: What the model was trained on, to look for leaks and telling backgrounds.
        model: The trained model's folder, to follow a transformer's attention.

    Raises:
        DataError: A label is no class of the bundle, no photo can be read, or the field photos' folders show
            none of its classes.
        ConfigError: The file of the field photos' classes cannot be used.
        BundleError: The bundle is damaged or cannot be loaded.
        StorageError: The folder cannot be written.
    """
    classifier = Classifier.load(bundle)
    field = open_field(settings, classifier.classes)  # what is wrong with it is said before all else is done
    examples, timed = Examples(classifier.classes), FirstPhotos(settings.latency_photos)
    drawn = RandomPhotos(settings.robustness_photos if settings.thorough else 0, seed)
    compared = RandomPhotos(settings.ways_photos if settings.thorough else 0, seed)

    def watch(photo: LabelledPhoto, probabilities: NDArray[np.float64]) -> None:
        examples(photo, probabilities)
        timed(photo.content)
        drawn(photo)
        compared(photo)

    predictions, unreadable = predict_photos(classifier, photos, watch=watch, total=total)
    latency = measure_latency(classifier, timed.contents)
    audit = _audit(classifier, dataset, settings, seed) if dataset and settings.audit_photos else {}
    open_set = measure_open_set(classifier, predictions.novelty, settings.strangers)
    metrics = _metrics(classifier, predictions, unreadable, latency, settings, seed)
    selective = measure_selective(
        predictions.probabilities,
        predictions.labels,
        classifier.bundle.manifest.temperature,
        settings.calibration_bins,
    )
    robustness = _robustness(classifier, drawn.photos, seed) if drawn.photos else None
    ways = measure_ways(classifier, compared.photos, settings, seed) if compared.photos else None
    there = measure_field(classifier, field, predictions, settings, seed) if field else None
    more: dict[str, object] = {
        "selective": selective,
        "open_set": open_set,
        "robustness": robustness,
        "field": there,
        **audit,
    }
    more |= {"ways": ways, "calibration": _calibration(predictions, settings, seed)}
    metrics = metrics.model_copy(update=more)
    pictures = _pictures(metrics, predictions, settings, curves)
    page = render_report(metrics, classifier.bundle, pictures, shown(classifier, examples, settings, model))
    _write(output, metrics, predictions, pictures, page, model_card(metrics, classifier.bundle))
    return metrics


def _calibration(predictions: PhotoPredictions, settings: EvaluationSettings, seed: int) -> Calibration:
    return measure_calibration(
        predictions.confidence,
        predictions.correct,
        predictions.group_numbers,
        bins=settings.calibration_bins,
        samples=settings.bootstrap_samples,
        level=settings.confidence,
        seed=seed,
    )


def _audit(
    classifier: Classifier, dataset: Dataset, settings: EvaluationSettings, seed: int
) -> dict[str, LeakAudit | BackgroundProbe | None]:
    looked = look(classifier, dataset, settings.audit_photos, seed)
    return {"leaks": audit_leaks(looked, seed), "background": probe_background(looked, seed)}


def _robustness(classifier: Classifier, photos: list[LabelledPhoto], seed: int) -> Robustness:
    pixels = [classifier.bundle.manifest.preprocessing.decode(photo.content) for photo in photos]
    labels = np.array([classifier.classes.index(photo.label) for photo in photos], np.int64)
    return measure_robustness(classifier, pixels, labels, seed)


def _metrics(
    classifier: Classifier,
    predictions: PhotoPredictions,
    unreadable: tuple[Unreadable, ...],
    latency: Latency,
    settings: EvaluationSettings,
    seed: int,
) -> Metrics:
    manifest = classifier.bundle.manifest
    return Metrics(
        **measure(predictions, settings, seed).model_dump(),
        mean_latency_ms=latency.mean,
        median_latency_ms=latency.median,
        p95_latency_ms=latency.p95,
        unreadable=unreadable,
        trained_on=_trained_on(classifier, predictions),
        data_hash=manifest.provenance.data_hash,
        photos_hash=_photos_hash(predictions),
        bundle_version=manifest.version,
        runtime=classifier.choice.name,
        code_version=code_version(),
        seed=seed,
    )


def _trained_on(classifier: Classifier, predictions: PhotoPredictions) -> int | None:
    known = classifier.bundle.training_photos()
    return sum(digest in known for digest in predictions.sha256) if known else None


def _photos_hash(predictions: PhotoPredictions) -> str:
    """Names the photos and their labels, whatever their order and file names."""
    rows = zip(predictions.sha256, predictions.labels, strict=True)
    lines = sorted(f"{digest} {predictions.classes[label]}" for digest, label in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _pictures(
    metrics: Metrics, predictions: PhotoPredictions, settings: EvaluationSettings, curves: Path | None
) -> Pictures:
    bins = reliability(predictions.confidence, predictions.correct, settings.calibration_bins)
    return Pictures(
        confusion=png(confusion_figure(metrics)),
        reliability=png(reliability_figure(bins, metrics.ece)),
        risk=png(risk_figure(metrics.selective)) if metrics.selective and metrics.accuracy < 1 else None,
        curves=curves.read_bytes() if curves and curves.exists() else None,
    )


def _write(
    output: Path, metrics: Metrics, predictions: PhotoPredictions, pictures: Pictures, page: str, card: str
) -> None:
    output.mkdir(parents=True, exist_ok=True)
    (output / METRICS_FILE).unlink(missing_ok=True)
    predictions.write(output)
    files = {
        CONFUSION_FILE: pictures.confusion,
        RELIABILITY_FILE: pictures.reliability,
        REPORT_FILE: page.encode(),
        CARD_FILE: card.encode(),
        METRICS_FILE: (metrics.model_dump_json(indent=2) + "\n").encode(),
    }
    for name, content in files.items():
        with atomic_file(output / name) as aside:
            aside.write_bytes(content)
