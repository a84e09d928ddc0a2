"""Evaluates a bundle on labelled photos: metrics, predictions, charts and the report, in one folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.evaluation.external.evaluate import open_external_data
from phytoflow.evaluation.measure import TestSet, measure
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.report.heatmaps import add_heatmaps
from phytoflow.evaluation.report.writer import EvaluationContent, write_evaluation
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.samples import TestPhotoSamples
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.temporary import temporary_folder


@dataclass(frozen=True)
class TrainingFolders:
    """What a bundle was made from, if it is at hand.

    Attributes:
        dataset: The dataset, for the audits of leakage and background bias.
        model: The trained model's folder, for training curves and attention.
    """

    dataset: Dataset
    model: Path


def evaluate(
    bundle: Path,
    photos: Iterable[LabelledPhoto],
    settings: EvaluationSettings,
    output: Path,
    seed: int,
    *,
    total: int | None = None,
    training: TrainingFolders | None = None,
) -> Metrics:
    """Measures an exported model as it will be served: from a photo's bytes to its probabilities.

    Writes ``predictions.csv``, ``confusion_matrix.svg``, ``reliability.png``, ``report.html``,
    ``model_card.md`` and, last, ``metrics.json``: a folder that has it is complete. Other files in the folder
    are left alone.

    Args:
        bundle: Folder of the bundle.
        photos: Photos the model was not trained on; streamed once.
        settings: What is measured and how.
        output: Folder to write.
        seed: Seed of bootstraps and samples.
        total: Number of photos, for the progress bar.
        training: What the bundle was made from; without it there are no audits and no training curves.

    Raises:
        DataError: A label is not a class of the bundle, no photo can be read, or the external test set shows
            none of its classes.
        ConfigError: The class map of the external test set cannot be used.
        BundleError: The bundle is damaged or cannot be loaded.
        StorageError: The folder cannot be written.
    """
    classifier = Classifier.load(bundle)
    dataset, model = (training.dataset, training.model) if training else (None, None)
    with temporary_folder(output.parent) as work:
        # Opened first: whatever is wrong with it is reported before the photos are classified.
        external = open_external_data(settings, classifier.classes, work)
        samples = TestPhotoSamples.create(classifier.classes, settings, seed)
        predictions, unreadable = predict_photos(classifier, photos, observe=samples.observe, total=total)
        test = TestSet(predictions, unreadable, samples)
        metrics = measure(classifier, test, settings, seed, work=work, external=external, dataset=dataset)
    examples = samples.examples.examples()
    examples = add_heatmaps(examples, classifier, model, occlusion=settings.extended)
    content = EvaluationContent(metrics, predictions, classifier.bundle, examples, model)
    write_evaluation(output, content, settings)
    return metrics
