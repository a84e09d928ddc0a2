"""How a model does on a second collection of labelled photos: other places, cameras, seasons.

Accuracies on photos like those of training say little of others: 99% became 31% where plant-disease models
met photos from elsewhere (Mohanty et al. 2016).
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.ingest.class_folders import folder_photos, require_class_folders
from phytoflow.data.sources.resolve import localise_source
from phytoflow.evaluation.external.class_mapping import FieldClasses, map_classes
from phytoflow.evaluation.external.schema import Drop, FieldClass, FieldFigures
from phytoflow.evaluation.metrics.bootstrap import difference_interval
from phytoflow.evaluation.metrics.classification import Figures, measure
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier

FIGURES = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class FieldPhotos:
    """A collection found usable, not yet asked about.

    Attributes:
        name: The last part of its address.
        folder: Where it lies.
        mapping: What its folders show.
        home: Where a remote collection was brought to; removed with this object.
    """

    name: str
    folder: Path
    mapping: FieldClasses
    home: tempfile.TemporaryDirectory[str]

    def photos(self) -> Iterator[LabelledPhoto]:
        """Those that show one of the classes, labelled as the model names them."""
        for photo in folder_photos(self.folder):
            if label := self.mapping.classes.get(photo.label):
                yield dataclasses.replace(photo, label=label)


def open_field(settings: EvaluationSettings, classes: Sequence[str]) -> FieldPhotos | None:
    """Finds ``evaluation.external_data`` and what its folders show; None where none is given.

    Args:
        settings: The collection and the file of its classes.
        classes: Of the model.

    Raises:
        DataError: It is not there, has no class folders, or none that shows a class of the model.
        ConfigError: The file of classes cannot be used.
        StorageError: It cannot be brought here.
    """
    if not settings.external_data:
        return None
    home = tempfile.TemporaryDirectory(prefix="phytoflow-field-")
    folder = localise_source(settings.external_data, Path(home.name))
    mapping = map_classes(require_class_folders(folder), classes, settings.external_class_map)
    return FieldPhotos(settings.external_data.rstrip("/").split("/")[-1], folder, mapping, home)


def measure_field(
    classifier: Classifier,
    field: FieldPhotos,
    own: PhotoPredictions,
    settings: EvaluationSettings,
    seed: int,
) -> FieldFigures:
    """Asks for every photo of the collection.

    Args:
        classifier: The opened bundle.
        field: The collection.
        own: What the model said of its own test photos.
        settings: Resamples and confidence.
        seed: Of the bootstrap.

    Raises:
        DataError: No photo can be read.
    """
    there, _ = predict_photos(classifier, field.photos())
    figures, labels = measure(there, settings, seed), np.unique(there.labels)
    rows = np.isin(own.labels, labels)
    own_figures = measure(_of(own, rows), settings, seed) if rows.any() else None
    return FieldFigures(
        name=field.name,
        photos=figures.photos,
        groups=figures.groups,
        trained_on=classifier.bundle.count_trained_on(there.sha256),
        accuracy=figures.accuracy,
        macro_f1=figures.macro_f1,
        intervals={name: figures.intervals[name] for name in FIGURES},
        drops={name: _drop(name, figures, own_figures) for name in FIGURES} if own_figures else {},
        per_class={there.classes[i]: _class(figures, own_figures, there.classes[i]) for i in labels},
        folders=field.mapping.classes,
        left_out=field.mapping.left_out,
        refused=None if there.novelty is None else float((there.novelty > 1).mean()),
    )


def _of(predictions: PhotoPredictions, rows: np.ndarray) -> PhotoPredictions:
    """Some rows of a table."""
    kept = np.nonzero(rows)[0]
    return PhotoPredictions(
        tuple(predictions.paths[i] for i in kept),
        tuple(predictions.groups[i] for i in kept),
        predictions.labels[kept],
        predictions.probabilities[kept],
        predictions.classes,
    )


def _drop(name: str, there: Figures, own: Figures) -> Drop:
    one, two = float(getattr(own, name)), float(getattr(there, name))
    interval = difference_interval((one, own.intervals[name]), (two, there.intervals[name]))
    return Drop(own=one, lost=one - two, interval=interval)


def _class(there: Figures, own: Figures | None, name: str) -> FieldClass:
    found = there.per_class[name]
    before = own.per_class[name] if own else None
    return FieldClass(
        photos=found.support,
        found=found.recall,
        own=before.recall if before and before.support else None,
    )
