"""The variants of a bundle's inference: runtimes, precisions and test-time augmentation."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import PhytoflowError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.runtimes.base import Precision, RuntimeName
from phytoflow.inference.runtimes.factory import usable
from phytoflow.inference.test_time_augmentation import average_views, view_pixels
from phytoflow.protocol.constants import VIEWS, Augmentation

_RUNTIMES: tuple[RuntimeName, ...] = ("onnx", "openvino")
_PRECISIONS: tuple[Precision, ...] = ("float32", "int8")  # bf16 is measured where it is served
_AUGMENTATIONS: tuple[Augmentation, ...] = ("flips", "crops")
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class InferenceVariant:
    """One way to compute the probabilities of a photo."""

    classifier: Classifier
    tta: Augmentation = "none"

    def predict(self, content: bytes) -> NDArray[np.float32]:
        """Probabilities of an encoded photo as the predictor would return them, float32 [C]."""
        if self.tta == "none":
            return self.classifier.predict([content]).probabilities[0]
        preprocessing = self.classifier.bundle.manifest.preprocessing
        image = preprocessing.open(content)
        views = [view_pixels(preprocessing, image, self.tta, view) for view in range(VIEWS[self.tta])]
        tensor = preprocessing.normalise(np.stack(views))
        return average_views(self.classifier.predict_tensor(tensor), len(views)).probabilities[0]

    @property
    def file_size(self) -> int:
        """Size of the model's file, bytes."""
        models = self.classifier.bundle.manifest.models
        if self.classifier.choice.precision == "int8":
            return models["int8"].bytes
        return models.get("onnx", next(iter(models.values()))).bytes


def open_variants(classifier: Classifier) -> list[InferenceVariant]:
    """The classifier as it is first, then its other runtimes and precisions, then test-time augmentation.

    Args:
        classifier: The opened bundle.
    """
    opened = (classifier.choice.name, classifier.choice.precision)
    others = [(name, precision) for precision in _PRECISIONS for name in _RUNTIMES]
    variants = [InferenceVariant(classifier)]
    for name, precision in others:
        if (name, precision) != opened and usable(name, classifier.bundle, precision):
            variants += _open(classifier.bundle, name, precision)
    return variants + [InferenceVariant(classifier, tta) for tta in _AUGMENTATIONS]


def _open(bundle: Bundle, name: RuntimeName, precision: Precision) -> list[InferenceVariant]:
    try:
        return [InferenceVariant(Classifier.load(bundle.path, name, precision=precision))]
    except PhytoflowError as error:  # its answers differ on this CPU, so that it could not be served here
        _LOG.info("%s in %s is left out: %s", name, precision, error.message)
        return []
