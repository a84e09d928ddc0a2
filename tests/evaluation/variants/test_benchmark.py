from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.evaluation.variants.benchmark import benchmark_variants
from phytoflow.inference.classifier import Classifier

SETTINGS = EvaluationSettings(bootstrap_samples=300)


def test_every_variant_is_measured_and_compared_with_the_first(
    colour_bundle: Callable[..., Path], colour_photo: Callable, tmp_path: Path
) -> None:
    photos = [colour_photo(colour, n) for colour in ("red", "green") for n in range(8)]
    photos.append(colour_photo("blue", 90, label="red"))
    classifier = Classifier.load(colour_bundle(tmp_path / "bundle"), "onnx", 1)
    variants = benchmark_variants(classifier, photos, SETTINGS, seed=0)
    assert (variants.photos, variants.confidence_level) == (17, 0.95)
    assert [(v.runtime, v.tta) for v in variants.tried] == [
        ("onnx", "none"),
        ("openvino", "none"),
        ("onnx", "flips"),
        ("onnx", "crops"),
    ]
    assert all(v.accuracy == pytest.approx(16 / 17) and v.agreement == 1 for v in variants.tried)
    assert all(v.gains["accuracy"] == 0 == v.intervals["accuracy"][1] for v in variants.tried)
    assert variants.tried[3].ece != variants.tried[0].ece
    assert all(v.milliseconds > 0 for v in variants.tried)
