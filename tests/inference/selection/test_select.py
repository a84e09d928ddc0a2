"""A runtime serves only if it gives the probe photos their recorded answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import phytoflow.inference.runtimes.factory
import phytoflow.inference.selection.candidates
from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError, ParityError, PhotoError, ServingError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions, softmax
from phytoflow.inference.runtimes.factory import RUNTIMES
from phytoflow.inference.selection.select import select_runtime
from tests.support.make_bundle import altered_copy, make_bundle, pictures

CONTENTS = [photo.content for photo in pictures()]


@pytest.fixture
def altered(bundle: Path, tmp_path: Path) -> Path:
    """The bundle with other probabilities recorded for its first probe."""
    return altered_copy(bundle, tmp_path / "altered", by=0.01)


@pytest.mark.parametrize("name", RUNTIMES)
def test_every_runtime_gives_the_recorded_answers(bundle: Path, name: str) -> None:
    classifier = Classifier.load(bundle, name, 1)
    recorded = [probe.probabilities for probe in classifier.bundle.manifest.probes]
    answers = classifier.predict(classifier.bundle.probe_contents())
    np.testing.assert_allclose(answers.probabilities, recorded, atol=1e-4)


def test_runtimes_agree_on_photos_that_are_no_probes(bundle: Path) -> None:
    answers = [Classifier.load(bundle, name, 1).predict(CONTENTS).probabilities for name in RUNTIMES]
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], atol=1e-4)


def test_auto_takes_the_fastest_and_says_why(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phytoflow.inference.selection.candidates, "has_gpu", lambda: False)
    choice = Classifier.load(bundle, "auto", 1).choice
    assert {trial.candidate.name for trial in choice.trials} == {"onnx", "openvino"}
    assert choice.name == min(choice.trials, key=lambda trial: trial.milliseconds).candidate.name
    assert "openvino" in choice.reason
    assert "onnx" in choice.reason


def test_auto_compares_torchscript_where_there_is_a_gpu(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phytoflow.inference.selection.candidates, "has_gpu", lambda: True)
    choice = Classifier.load(bundle, "auto", 1).choice
    assert {trial.candidate.name for trial in choice.trials} == set(RUNTIMES)
    assert all(trial.agrees for trial in choice.trials)


@pytest.mark.parametrize("asked", ["auto", *RUNTIMES])
def test_answers_other_than_recorded_are_refused(altered: Path, asked: str) -> None:
    with pytest.raises(ParityError, match="recorded answers"):
        Classifier.load(altered, asked, 1)


def test_another_models_file_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Even with its hash in the manifest: the probes tell."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    other = Bundle.load(make_bundle(tmp_path / "other", ("onnx",), seed=1))
    shutil.copy(other.path / "model.onnx", copy / "model.onnx")
    manifest = json.loads((copy / "bundle.json").read_text())
    manifest["models"]["onnx"] = json.loads(other.manifest.models["onnx"].model_dump_json())
    (copy / "bundle.json").write_text(json.dumps(manifest))
    with pytest.raises(ParityError):
        select_runtime(Bundle.load(copy), "onnx", threads=1)


def test_torchscript_alone_is_served_by_torch(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    manifest = json.loads((copy / "bundle.json").read_text())
    del manifest["models"]["onnx"]
    (copy / "bundle.json").write_text(json.dumps(manifest))
    assert Classifier.load(copy, "auto", 1).choice.name == "torchscript"
    with pytest.raises(BundleError, match="no onnx model"):
        Classifier.load(copy, "onnx", 1)


def test_an_unknown_runtime_is_refused(bundle: Path) -> None:
    with pytest.raises((ServingError, BundleError), match="tflite"):
        Classifier.load(bundle, "tflite", 1)


def test_bf16_on_a_cpu_without_it_is_refused(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phytoflow.inference.runtimes.factory, "has_bf16", lambda: False)
    with pytest.raises(ServingError, match="no bf16 arithmetic"):
        Classifier.load(bundle, "openvino", 1, precision="bf16")
    with pytest.raises(ServingError, match="onnx runtime has no bf16"):
        Classifier.load(bundle, "onnx", 1, precision="bf16")


def test_torch_is_not_imported_for_onnx(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # beside a GPU torch is wanted
    heavy = {"torch", "pandas", "matplotlib", "mlflow", "kserve", "kfp"}
    code = (
        "import sys; from phytoflow.inference.classifier import Classifier; "
        f"Classifier.load({str(bundle)!r}, 'auto', 1); assert not {heavy} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


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


def test_temperature_softens() -> None:
    logits = np.array([[2.0, 0.0, -2.0]], np.float32)
    plain, soft = softmax(logits), softmax(logits, 2.0)
    np.testing.assert_allclose(plain.sum(), 1, atol=1e-6)
    np.testing.assert_allclose(soft, softmax(logits / 2), atol=1e-7)
    assert soft.max() < plain.max()


def test_softmax_of_large_logits_is_finite() -> None:
    assert softmax(np.array([[1e4, 0.0]], np.float32)).tolist() == [[1.0, 0.0]]


def test_top_is_ordered_and_ties_keep_the_class_order() -> None:
    predictions = Predictions(np.array([[0.2, 0.6, 0.2]], np.float32), ("a", "b", "c"))
    labels, scores = predictions.top(3)
    assert labels == [["b", "a", "c"]]
    np.testing.assert_allclose(scores, [[0.6, 0.2, 0.2]])
