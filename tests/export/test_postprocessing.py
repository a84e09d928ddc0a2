"""ONNX files with post-processing give what the formulas give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from phytoflow.bundle.reports import METHODS, Method
from phytoflow.errors import ParityError
from phytoflow.export.postprocessing import PostProcessing, extend_file, require_same_outputs
from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.models.onnx_export import trace_onnx
from phytoflow.ood.detector import OodDetector
from phytoflow.ood.feature_statistics import fit_statistics

CLASSES, FEATURES, SIDE = 3, 90, 6  # more features than axes are kept
TEMPERATURE = 1.7


class Cut(nn.Module):
    """A network whose logits and features are pixels."""

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        flat = photos.flatten(1)
        return 3 * flat[:, -CLASSES:], flat[:, :FEATURES]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "model.onnx"
    example = torch.zeros(2, 3, SIDE, SIDE)
    file.write_bytes(trace_onnx(Cut(), (example,), ["photos"], ["logits", "features"]))
    return file


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(7, 3, SIDE, SIDE)).astype(np.float32)


def detector(method: Method) -> OodDetector:
    random = np.random.default_rng(0)
    labels = np.arange(120) % CLASSES
    features = random.normal(size=(120, FEATURES)) + 2 * np.eye(FEATURES)[labels]
    return OodDetector(
        fit_statistics(features.astype(np.float32), labels), method, typical=0.5, threshold=2.5
    )


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
@pytest.mark.parametrize("method", METHODS)
def test_a_file_gives_what_the_formulas_give(
    path: Path, photos: np.ndarray, method: Method, runtime: str
) -> None:
    extend_file(path, PostProcessing(TEMPERATURE, scale := detector(method)))
    model = open_model(runtime, path, threads=1)  # type: ignore[arg-type]
    for count in (1, 7):
        found = model.run(photos[:count])
        assert found.features is not None
        assert found.probabilities is not None
        assert found.novelty is not None
        assert found.novelty.shape == (count,)
        np.testing.assert_allclose(found.probabilities, softmax(found.logits, TEMPERATURE), atol=1e-6)
        expected = scale.novelty(found.logits, found.features)
        np.testing.assert_allclose(found.novelty, expected, rtol=1e-4, atol=1e-4)


def test_without_a_detector_there_is_no_novelty(path: Path, photos: np.ndarray) -> None:
    extend_file(path, PostProcessing(TEMPERATURE, None))
    found = open_model("onnx", path, threads=1).run(photos)
    assert found.novelty is None
    np.testing.assert_allclose(found.calibrated(1.0), softmax(found.logits, TEMPERATURE), atol=1e-6)


def test_what_it_had_stays_as_it_was(path: Path, photos: np.ndarray) -> None:
    before = open_model("onnx", path, threads=1).run(photos)
    extend_file(path, PostProcessing(TEMPERATURE, detector("mahalanobis")))
    after = open_model("onnx", path, threads=1).run(photos)
    assert (before.logits == after.logits).all()
    assert (before.features == after.features).all()
    assert [o.name for o in onnx.load(path).graph.output][:2] == ["logits", "features"]


def test_a_file_of_another_temperature_or_score_is_refused(path: Path, photos: np.ndarray) -> None:
    extend_file(path, PostProcessing(TEMPERATURE, detector("mean_neighbours")))
    require_same_outputs(path, TEMPERATURE, detector("mean_neighbours"), photos)
    with pytest.raises(ParityError, match=r"model\.onnx: probabilities and the formula"):
        require_same_outputs(path, 1.0, detector("mean_neighbours"), photos)
    with pytest.raises(ParityError, match=r"model\.onnx: novelty and the formula"):
        require_same_outputs(path, TEMPERATURE, detector("mahalanobis"), photos)


def test_a_file_without_postprocessing_is_refused(path: Path, photos: np.ndarray) -> None:
    with pytest.raises(ParityError, match="probabilities and the formula"):
        require_same_outputs(path, TEMPERATURE, None, photos)
