"""Metrics on an external test set: labelled photos of other places, cameras or seasons.

Accuracy on photos like those of the training set says little about others: 99% became 31% when a plant
disease model was tested on photos taken elsewhere (Mohanty et al. 2016).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.ingest.class_folders import folder_photos, require_class_folders
from phytoflow.data.sources.resolve import localise_source
from phytoflow.evaluation.external.class_mapping import ClassMapping, map_classes
from phytoflow.evaluation.external.schema import ExternalClassMetrics, ExternalMetrics, MetricDrop
from phytoflow.evaluation.metrics.bootstrap import difference_interval
from phytoflow.evaluation.metrics.classification import ClassificationMetrics, measure_classification
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.uri import base_name

METRICS = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class ExternalPhotos:
    """An external test set that was found usable.

    Attributes:
        name: The last part of its address.
        folder: Local folder of its photos.
        mapping: The class of each of its folders.
    """

    name: str
    folder: Path
    mapping: ClassMapping

    def photos(self) -> Iterator[LabelledPhoto]:
        """The photos that show one of the model's classes, labelled with its name."""
        for photo in folder_photos(self.folder):
            if label := self.mapping.classes.get(photo.label):
                yield dataclasses.replace(photo, label=label)


def open_external_data(
    settings: EvaluationSettings, classes: Sequence[str], work: Path
) -> ExternalPhotos | None:
    """Opens ``evaluation.external_data`` and maps its folders to classes; None if it is not set.

    Args:
        settings: Address of the collection and of its class map.
        classes: Classes of the model.
        work: Folder for photos that are not local yet.

    Raises:
        DataError: It does not exist, has no class folders, or none that shows a class of the model.
        ConfigError: The class map cannot be used.
        StorageError: The collection cannot be fetched.
    """
    if not settings.external_data:
        return None
    folder = localise_source(settings.external_data, work / "external")
    mapping = map_classes(require_class_folders(folder), classes, settings.external_class_map)
    return ExternalPhotos(base_name(settings.external_data), folder, mapping)


def evaluate_external(
    classifier: Classifier,
    external: ExternalPhotos,
    own: PhotoPredictions,
    settings: EvaluationSettings,
    seed: int,
) -> ExternalMetrics:
    """Classifies every photo of the external test set and compares with the bundle's own test photos.

    Args:
        classifier: The opened bundle.
        external: The external test set.
        own: Predictions for the own test photos.
        settings: Number of resamples and confidence level.
        seed: Seed of the bootstrap.

    Raises:
        DataError: No photo can be read.
    """
    predictions, _ = predict_photos(classifier, external.photos())
    metrics = measure_classification(predictions, settings, seed)
    comparable = np.isin(own.labels, predictions.labels)  # own photos of the classes that occur there
    own_metrics = None
    if comparable.any():
        own_metrics = measure_classification(own.select(comparable), settings, seed)
    return ExternalMetrics(
        name=external.name,
        photos=metrics.photos,
        groups=metrics.groups,
        trained_on=classifier.bundle.count_trained_on(predictions.sha256),
        accuracy=metrics.accuracy,
        macro_f1=metrics.macro_f1,
        intervals={name: metrics.intervals[name] for name in METRICS},
        drops={name: _drop(name, metrics, own_metrics) for name in METRICS} if own_metrics else {},
        per_class=_per_class(metrics, own_metrics),
        folders=external.mapping.classes,
        left_out=external.mapping.left_out,
        unknown_rate=None if predictions.novelty is None else float((predictions.novelty > 1).mean()),
    )


def _drop(name: str, external: ClassificationMetrics, own: ClassificationMetrics) -> MetricDrop:
    here, there = float(getattr(own, name)), float(getattr(external, name))
    interval = difference_interval((here, own.intervals[name]), (there, external.intervals[name]))
    return MetricDrop(own=here, lost=here - there, interval=interval)


def _per_class(
    external: ClassificationMetrics, own: ClassificationMetrics | None
) -> dict[str, ExternalClassMetrics]:
    """The classes that have external photos, in the model's order."""
    return {
        name: ExternalClassMetrics(
            photos=row.support,
            recall=row.recall,
            own_recall=own.per_class[name].recall if own and own.per_class[name].support else None,
        )
        for name, row in external.per_class.items()
        if row.support
    }
