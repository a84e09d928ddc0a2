from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phytoflow.evaluation.variants.inference import InferenceVariant, open_variants
from phytoflow.inference.classifier import Classifier
from tests.support.colour_bundle import SHADES, jpeg


@pytest.fixture(scope="module")
def classifier(colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(colour_bundle(tmp_path_factory.mktemp("variants") / "bundle"), "onnx", 1)


def test_the_classifier_comes_first_then_other_runtimes_then_augmentation(classifier: Classifier) -> None:
    variants = open_variants(classifier)
    names = [(v.classifier.choice.name, v.classifier.choice.precision, v.tta) for v in variants]
    assert names == [
        ("onnx", "float32", "none"),
        ("openvino", "float32", "none"),
        ("onnx", "float32", "flips"),
        ("onnx", "float32", "crops"),
    ]
    assert variants[0].classifier is classifier
    assert all(v.file_size == (classifier.bundle.path / "model.onnx").stat().st_size for v in variants)


@pytest.mark.parametrize("tta", ["none", "flips", "crops"])
def test_each_variant_recognises_the_colour(classifier: Classifier, tta: str) -> None:
    probabilities = InferenceVariant(classifier, tta).predict(jpeg(SHADES["green"]))  # type: ignore[arg-type]
    assert probabilities.argmax() == 1
    assert probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_augmentation_really_uses_other_views(classifier: Classifier) -> None:
    photo = jpeg(SHADES["green"], seed=5)
    plain, crops = (InferenceVariant(classifier, tta).predict(photo) for tta in ("none", "crops"))
    assert not np.array_equal(plain, crops)  # corners have other noise
