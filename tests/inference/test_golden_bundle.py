"""A bundle made by commit 210d6d1 gives the answers that commit recorded."""

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.images.decode import decode
from phytoflow.inference.attribution import explain
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.test_time_augmentation import average_views, view_pixels
from phytoflow.protocol.constants import VIEWS
from tests.support.golden import BUNDLE, PHOTOS, answers

ANSWERS = answers()


@pytest.mark.parametrize("runtime", ["onnx", "torchscript", "openvino"])
def test_every_photo_gets_its_recorded_probabilities(runtime: str) -> None:
    recorded = ANSWERS["photos"][runtime]
    given = Classifier.load(BUNDLE, runtime, 1).predict([(PHOTOS / name).read_bytes() for name in recorded])  # type: ignore[arg-type]
    expected = np.array([answer["probabilities"] for answer in recorded.values()])
    assert np.abs(given.probabilities - expected).max() < 1e-6
    assert given.novelty is not None
    novelty = np.array([answer["novelty"] for answer in recorded.values()])
    assert np.abs(given.novelty - novelty).max() < 1e-5  # its scale is not bounded by 1


@pytest.mark.parametrize("augmentation", ["flips", "crops"])
def test_averaged_views_are_those_recorded(augmentation: str) -> None:
    classifier = Classifier.load(BUNDLE, "onnx", 1)
    preprocessing, count = classifier.bundle.manifest.preprocessing, VIEWS[augmentation]  # type: ignore[index]
    image = decode((PHOTOS / next(iter(ANSWERS["photos"]["onnx"]))).read_bytes())
    pixels = np.stack([view_pixels(preprocessing, image, augmentation, view) for view in range(count)])  # type: ignore[arg-type]
    given = average_views(classifier.run(preprocessing.normalise(pixels)), count)
    assert np.abs(given.probabilities[0] - ANSWERS["views"][augmentation]).max() < 1e-6


def test_the_heat_map_is_the_one_recorded() -> None:
    classifier, heat = Classifier.load(BUNDLE, "onnx", 1), ANSWERS["heat"]
    tensor = classifier.bundle.manifest.preprocessing((PHOTOS / heat["photo"]).read_bytes())
    given = explain(classifier, tensor, heat["label"])[::8, ::8]
    assert np.abs(given - np.array(heat["rows"])).max() < 2e-6  # recorded with six digits


def test_its_version_is_the_one_recorded() -> None:
    assert Bundle.load(BUNDLE).manifest.version == ANSWERS["v2"]["model_version"]
