"""Photo bytes to predictions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from tests.support.golden import BUNDLE, PHOTOS, answers
from tests.support.make_bundle import pictures

CONTENTS = [photo.content for photo in pictures()]


def test_torch_is_not_imported_for_onnx(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # with a GPU torch is a candidate
    heavy = {"torch", "pandas", "matplotlib", "mlflow", "kserve", "kfp"}
    code = (
        "import sys; from phytoflow.inference.classifier import Classifier; "
        f"Classifier.load({str(bundle)!r}, 'auto', 1); assert not {heavy} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_a_bad_photo_is_named(bundle: Path) -> None:
    classifier = Classifier.load(bundle, "onnx", 2)
    with pytest.raises(PhotoError, match="photo 9: ") as caught:
        classifier.predict([*CONTENTS[:9], b"no photo"])
    assert caught.value.reason == "not_an_image"


def test_no_photos_give_no_rows(bundle: Path) -> None:
    assert Classifier.load(bundle, "onnx", 1).predict([]).probabilities.shape == (0, 3)


def test_the_batch_changes_nothing(bundle: Path) -> None:
    classifier = Classifier.load(bundle, "onnx", 2)
    alone = [classifier.predict([content]).probabilities[0] for content in CONTENTS]
    np.testing.assert_allclose(classifier.predict(CONTENTS).probabilities, alone, atol=1e-5)


def test_tensors_give_what_bytes_give(bundle: Path) -> None:
    classifier = Classifier.load(bundle, "onnx", 2)
    tensor = np.stack([classifier.bundle.manifest.preprocessing(content) for content in CONTENTS])
    given = classifier.predict_tensor(tensor).probabilities
    np.testing.assert_allclose(given, classifier.predict(CONTENTS).probabilities, atol=1e-6)


@pytest.mark.parametrize("runtime", ["onnx", "torchscript"])
def test_novelty_comes_from_the_file_or_from_the_formulas(runtime: str) -> None:
    """TorchScript files end with logits and features."""
    classifier, names = Classifier.load(BUNDLE, runtime, 1), list(answers()["photos"]["onnx"])[:3]  # type: ignore[arg-type]
    tensor = np.stack([classifier.bundle.manifest.preprocessing((PHOTOS / n).read_bytes()) for n in names])
    outputs = classifier.outputs(tensor)
    assert (outputs.novelty is None) == (runtime == "torchscript") and classifier.detects_ood
    novelty = classifier.to_predictions(outputs).novelty
    recorded = [answers()["photos"][runtime][name]["novelty"] for name in names]
    np.testing.assert_allclose(novelty, recorded, atol=1e-4)


def test_without_statistics_there_is_no_novelty(bundle: Path) -> None:
    classifier = Classifier.load(bundle, "onnx", 1)
    assert not classifier.detects_ood and classifier.predict(CONTENTS[:1]).known is None
