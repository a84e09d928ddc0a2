"""A runtime serves only if it gives the probe photos their recorded probabilities."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import phytoflow.inference.runtimes.factory
import phytoflow.inference.selection.candidates
from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError, ParityError, ServingError
from phytoflow.inference.classifier import Classifier
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


@pytest.mark.parametrize("runtime", ["auto", *RUNTIMES])
def test_answers_other_than_recorded_are_refused(altered: Path, runtime: str) -> None:
    with pytest.raises(ParityError, match="recorded probabilities"):
        Classifier.load(altered, runtime, 1)


def test_another_models_file_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Even with its hash in the manifest: the probe photos show it."""
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
