"""What each form of a bundle, and each kind of test-time augmentation, costs and brings on test photos."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import PhytoflowError
from phytoflow.evaluation.metrics.bootstrap import percentile_interval, resampled_sums
from phytoflow.evaluation.metrics.calibration import bins_of
from phytoflow.evaluation.metrics.classification import scores
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.variants.schema import Way, Ways
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.runtimes.base import Precision, RuntimeName
from phytoflow.inference.runtimes.factory import usable
from phytoflow.inference.test_time_augmentation import averaged, pixels_of
from phytoflow.protocol.constants import VIEWS, Augmentation
from phytoflow.system.progress import track

_RUNTIMES: tuple[RuntimeName, ...] = ("onnx", "openvino")
_PRECISIONS: tuple[Precision, ...] = ("float32", "int8")  # bf16 is tried where it serves: decision 30
_AUGMENTATIONS: tuple[Augmentation, ...] = ("flips", "crops")
_FIGURES = ("accuracy", "macro_f1", "ece")
_LOG = logging.getLogger(__name__)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Asked:
    """One way to ask, before it is measured."""

    classifier: Classifier
    tta: Augmentation = "none"

    def __call__(self, content: bytes) -> NDArray[np.float32]:
        """An encoded photo to its probabilities, float32 [C], as the predictor answers it."""
        if self.tta == "none":
            return self.classifier.predict([content]).probabilities[0]
        preprocessing = self.classifier.bundle.manifest.preprocessing
        image = preprocessing.open(content)
        views = [pixels_of(preprocessing, image, self.tta, view) for view in range(VIEWS[self.tta])]
        tensor = preprocessing.normalise(np.stack(views))
        return averaged(self.classifier.predict_tensor(tensor), len(views)).probabilities[0]


def measure_ways(
    classifier: Classifier, photos: Sequence[LabelledPhoto], settings: EvaluationSettings, seed: int
) -> Ways:
    """Asks for every photo in every way, one photo at a time, the ways by turns.

    Args:
        classifier: The first way, which the others are held against.
        photos: Readable test photos of the bundle's classes.
        settings: Resamples, confidence and bins.
        seed: Of the bootstrap.
    """
    asked = _ways(classifier)
    seen = list(track((_turn(asked, p.content) for p in photos), "Forms and views", len(photos)))
    answers = np.array([[row for row, _ in turn] for turn in seen], np.float64).swapaxes(0, 1)
    times = np.median([[ms for _, ms in turn] for turn in seen], axis=0)
    labels = np.array([classifier.classes.index(photo.label) for photo in photos])
    groups = np.unique([photo.group for photo in photos], return_inverse=True)[1]
    found = [_Figures.of(rows, labels, groups, settings, seed) for rows in answers]
    given = answers.argmax(axis=2)
    return Ways(
        photos=len(photos),
        confidence=settings.confidence_level,
        tried=tuple(
            _way(
                asked[i], float(times[i]), float((given[i] == given[0]).mean()), found[i], found[0], settings
            )
            for i in range(len(asked))
        ),
    )


def _ways(classifier: Classifier) -> list[_Asked]:
    """The way given, the other forms and runtimes, and augmentations of the way given."""
    choice, found = classifier.choice, [_Asked(classifier)]
    for precision in _PRECISIONS:
        for name in _RUNTIMES:
            if (name, precision) != (choice.name, choice.precision) and usable(
                name, classifier.bundle, precision
            ):
                found += _opened(classifier.bundle, name, precision)
    return found + [_Asked(classifier, tta) for tta in _AUGMENTATIONS]


def _opened(bundle: Bundle, name: RuntimeName, precision: Precision) -> list[_Asked]:
    try:
        return [_Asked(Classifier.load(bundle.path, name, precision=precision))]
    except PhytoflowError as error:  # this machine's arithmetic does not pass the probes: no way to serve
        _LOG.info("%s in %s is left out: %s", name, precision, error.message)
        return []


def _turn(
    asked: Sequence[Callable[[bytes], NDArray[np.float32]]], content: bytes
) -> list[tuple[NDArray[np.float32], float]]:
    """Each way's probabilities for a photo and the milliseconds they took."""
    found = []
    for ask in asked:
        started = time.perf_counter()
        answer = ask(content)
        found.append((answer, (time.perf_counter() - started) * 1000))
    return found


@dataclass(frozen=True)
class _Figures:
    """Each figure, and the same over resamples of groups: every way's resamples draw the same groups."""

    point: dict[str, float]
    resampled: dict[str, Array]

    @classmethod
    def of(
        cls,
        probabilities: Array,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        settings: EvaluationSettings,
        seed: int,
    ) -> _Figures:
        rows = _rows(probabilities, labels, settings.calibration_bins)
        size = probabilities.shape[1]
        figures = partial(_figures, size=size)
        sums = resampled_sums(rows, groups, settings.bootstrap_samples, seed)
        point = {name: float(value[0]) for name, value in figures(rows.sum(axis=0, keepdims=True)).items()}
        return cls(point, figures(sums))


def _rows(probabilities: Array, labels: NDArray[np.int64], bins: int) -> Array:
    """Each photo's share in every sum behind the figures: its confusion cell, and its bin's gap."""
    size, predicted, confidence = probabilities.shape[1], probabilities.argmax(1), probabilities.max(1)
    cells = np.eye(size * size)[labels * size + predicted]
    gaps = np.eye(bins)[bins_of(confidence, bins)] * ((predicted == labels) - confidence)[:, None]
    return np.concatenate([cells, gaps], axis=1)


def _figures(sums: Array, size: int) -> dict[str, Array]:
    """Sums [..., C * C + bins] to each figure [...]."""
    confusion = sums[..., : size * size]
    found = scores(confusion.reshape(*confusion.shape[:-1], size, size)).headlines()
    ece = np.abs(sums[..., size * size :]).sum(-1) / confusion.sum(-1)
    return {"accuracy": found["accuracy"], "macro_f1": found["macro_f1"], "ece": ece}


def _way(
    asked: _Asked,
    milliseconds: float,
    agreement: float,
    found: _Figures,
    first: _Figures,
    settings: EvaluationSettings,
) -> Way:
    choice, models = asked.classifier.choice, asked.classifier.bundle.manifest.models
    form = models["int8"] if choice.precision == "int8" else models.get("onnx", next(iter(models.values())))
    moved = {name: found.resampled[name] - first.resampled[name] for name in _FIGURES}
    return Way(
        runtime=choice.name,
        precision=choice.precision,
        tta=asked.tta,
        bytes=form.bytes,
        milliseconds=milliseconds,
        **found.point,
        agreement=agreement,
        gains={name: found.point[name] - first.point[name] for name in _FIGURES},
        intervals={
            name: percentile_interval(rows, settings.confidence_level) for name, rows in moved.items()
        },
    )
