"""The int8 model compared with the float model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.export.quantization.trial import Int8Comparison, predict
from phytoflow.inference.runtimes.factory import open_model
from tests.support.make_bundle import make_bundle, pictures


def test_a_model_compared_with_itself_does_not_differ(bundle: Path) -> None:
    opened, photos = Bundle.load(bundle), pictures(6)
    tensors = np.stack([opened.manifest.preprocessing(photo.content) for photo in photos])
    file = bundle / "model.onnx"
    trial = Int8Comparison(opened.manifest, bundle, photos, tensors).run("onnx", file, file)
    assert (trial.agreement, trial.max_difference, trial.mean_difference) == (1, 0, 0)
    assert trial.accuracy == trial.float_accuracy and trial.known_agreement is None
    assert trial.probe_difference == pytest.approx(0, abs=1e-5)
    assert 0 < trial.milliseconds < 10 * trial.float_milliseconds


def test_another_model_differs_by_its_probabilities(bundle: Path, tmp_path: Path) -> None:
    opened, photos = Bundle.load(bundle), pictures(6)
    tensors = np.stack([opened.manifest.preprocessing(photo.content) for photo in photos])
    files = [bundle / "model.onnx", make_bundle(tmp_path / "other", ("onnx",), seed=1) / "model.onnx"]
    trial = Int8Comparison(opened.manifest, bundle, photos, tensors).run("onnx", *files)
    temperature = opened.manifest.temperature
    one, other = (predict(open_model("onnx", file, threads=1), tensors, temperature) for file in files)
    assert trial.max_difference == pytest.approx(np.abs(one - other).max())
    assert trial.mean_difference == pytest.approx(np.abs(one - other).mean())
    assert trial.agreement == (one.argmax(1) == other.argmax(1)).mean() < 1
    assert trial.probe_difference is None  # a probe photo changes its class
    labels = [opened.manifest.classes.index(photo.label) for photo in photos]
    assert trial.accuracy == (other.argmax(1) == labels).mean()
