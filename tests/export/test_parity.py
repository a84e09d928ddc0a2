"""An exported file that does not give the trained model's answers is refused."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import ParityError
from phytoflow.export.formats import FILES, write_format
from phytoflow.export.parity import compare, predict_exported, require_parity
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from tests.support.make_bundle import SIDE, pictures, trained_model

SETTINGS = ExportSettings()


class FixedBatch(torch.nn.Module):
    """Answers for two photos at most: what a trace with a fixed batch size looks like."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.model(x)[:2]


def test_a_perturbed_onnx_is_refused(bundle: Path, tmp_path: Path) -> None:
    model = onnx.load(bundle / FILES["onnx"])
    largest = max(model.graph.initializer, key=lambda tensor: np.prod(tensor.dims))
    values = numpy_helper.to_array(largest)
    largest.CopyFrom(numpy_helper.from_array((values * 1.02).astype(values.dtype), largest.name))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ParityError, match="onnx: a probability differs by"):
        _require_parity("onnx", tmp_path / "model.onnx")


def test_a_perturbed_torchscript_is_refused(tmp_path: Path) -> None:
    trained = trained_model()
    with torch.no_grad():
        next(trained.model.parameters()).mul_(1.02)
    path = write_format("torchscript", trained.model, torch.rand(2, 3, SIDE, SIDE), tmp_path)
    with pytest.raises(ParityError, match="torchscript: a probability differs by"):
        _require_parity("torchscript", path)


def test_the_exact_export_passes(bundle: Path) -> None:
    for model_format, file in FILES.items():
        _require_parity(model_format, bundle / file)


def test_a_fixed_batch_size_is_refused(tmp_path: Path) -> None:
    path = write_format(
        "torchscript", FixedBatch(trained_model().model).eval(), torch.rand(2, 3, SIDE, SIDE), tmp_path
    )
    with pytest.raises(ParityError):
        _require_parity("torchscript", path)


def test_a_file_that_cannot_be_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ParityError, match="cannot be run"):
        _require_parity("onnx", tmp_path / "model.onnx")


def test_agreement_has_its_own_limit() -> None:
    near = np.array([[0.5002, 0.4998], [0.9, 0.1]], np.float32)
    flipped = np.array([[0.4998, 0.5002], [0.9, 0.1]], np.float32)
    with pytest.raises(ParityError, match=r"50\.00% of photos"):
        require_parity("onnx", compare(near, flipped), SETTINGS)


def test_nan_is_never_near() -> None:
    fine = np.array([[0.5, 0.5]], np.float32)
    parity = compare(fine, np.array([[np.nan, 0.5]], np.float32))
    assert parity.max_probability_difference == float("inf")


def _require_parity(model_format: str, path: Path) -> None:
    """Compares a file with the unperturbed model, as the export does."""
    trained = trained_model()
    preprocessing: Preprocessing = trained.preprocessing
    tensors = np.stack([preprocessing(photo.content) for photo in pictures()])
    with torch.no_grad():
        reference = softmax(trained.model(torch.from_numpy(tensors)).numpy(), 1.3)
    require_parity(
        model_format, compare(reference, predict_exported(model_format, path, tensors, 1.3)), SETTINGS
    )  # type: ignore[arg-type]
