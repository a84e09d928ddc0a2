"""A bundle on labelled photos: figures, pictures, predictions and the report, in one folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.audit.background_bias import BackgroundProbe, probe_background
from phytoflow.evaluation.audit.embeddings import look
from phytoflow.evaluation.audit.leakage import LeakAudit, audit_leaks
from phytoflow.evaluation.external.evaluate import measure_field, open_field
from phytoflow.evaluation.metrics.latency import measure_latency
from phytoflow.evaluation.metrics.ood import measure_open_set
from phytoflow.evaluation.metrics.selective import measure_selective
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.sampling import FirstPhotos, RandomPhotos
from phytoflow.evaluation.report.examples import Examples
from phytoflow.evaluation.report.html import render_report
from phytoflow.evaluation.report.model_card import model_card
from phytoflow.evaluation.report.shown import shown
from phytoflow.evaluation.report.writer import pictures_of, write
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.robustness.benchmark import Robustness, measure_robustness
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.summary import calibration, headline
from phytoflow.evaluation.variants.benchmark import measure_ways
from phytoflow.inference.classifier import Classifier


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
    drawn = RandomPhotos(settings.robustness_photos if settings.extended else 0, seed)
    compared = RandomPhotos(settings.variant_photos if settings.extended else 0, seed)

    def watch(photo: LabelledPhoto, probabilities: NDArray[np.float64]) -> None:
        examples(photo, probabilities)
        timed(photo.content)
        drawn(photo)
        compared(photo)

    predictions, unreadable = predict_photos(classifier, photos, watch=watch, total=total)
    latency = measure_latency(classifier, timed.contents)
    audit = _audit(classifier, dataset, settings, seed) if dataset and settings.audit_photos else {}
    open_set = measure_open_set(classifier, predictions.novelty, settings.ood_data)
    metrics = headline(classifier, predictions, unreadable, latency, settings, seed)
    selective = measure_selective(
        predictions.probabilities,
        predictions.labels,
        classifier.bundle.manifest.temperature,
        settings.calibration_bins,
        predictions.novelty,
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
    more |= {"ways": ways, "calibration": calibration(predictions, settings, seed)}
    metrics = metrics.model_copy(update=more)
    pictures = pictures_of(metrics, predictions, settings, curves)
    page = render_report(metrics, classifier.bundle, pictures, shown(classifier, examples, settings, model))
    write(output, metrics, predictions, pictures, page, model_card(metrics, classifier.bundle))
    return metrics


def _audit(
    classifier: Classifier, dataset: Dataset, settings: EvaluationSettings, seed: int
) -> dict[str, LeakAudit | BackgroundProbe | None]:
    looked = look(classifier, dataset, settings.audit_photos, seed)
    return {"leaks": audit_leaks(looked, seed), "background": probe_background(looked, seed)}


def _robustness(classifier: Classifier, photos: list[LabelledPhoto], seed: int) -> Robustness:
    pixels = [classifier.bundle.manifest.preprocessing.decode(photo.content) for photo in photos]
    labels = np.array([classifier.classes.index(photo.label) for photo in photos], np.int64)
    return measure_robustness(classifier, pixels, labels, seed)
