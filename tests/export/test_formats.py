"""Model files with a free batch size."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from phytoflow.bundle.manifest import ExportFormat
from phytoflow.errors import ParityError
from phytoflow.export import formats
from phytoflow.export.formats import FILES, write_format
from phytoflow.export.serving_module import ServingModule
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings
from tests.support.make_bundle import SIDE, pictures, trained_model


def test_onnx_is_one_file_with_a_free_batch_size(bundle: Path) -> None:
    graph = onnx.load(bundle / FILES["onnx"], load_external_data=False).graph
    shape = graph.input[0].type.tensor_type.shape.dim
    assert shape[0].dim_param
    assert [side.dim_value for side in shape[1:]] == [3, SIDE, SIDE]
    assert not any(tensor.external_data for tensor in graph.initializer)


@pytest.mark.parametrize("tracing", [False, True])
def test_either_onnx_exporter_gives_the_models_logits(
    tmp_path: Path, tracing: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> bytes:
        raise RuntimeError("no such operator")

    caplog.set_level("INFO")
    if tracing:
        monkeypatch.setattr(formats, "_export_onnx", fail)
    trained = trained_model()
    path = write_format("onnx", trained.model, torch.rand(2, 3, SIDE, SIDE), tmp_path)
    tensors = np.stack([trained.preprocessing(photo.content) for photo in pictures(3)])
    with torch.no_grad():
        expected = trained.model(torch.from_numpy(tensors)).numpy()
    np.testing.assert_allclose(open_model("onnx", path, threads=1).run(tensors).logits, expected, atol=1e-4)
    assert ("no such operator" in caplog.text) == tracing


@pytest.mark.parametrize("model_format", ["torchscript", "onnx"])
def test_a_transformer_is_written_with_a_free_batch_size(tmp_path: Path, model_format: ExportFormat) -> None:
    """Its class token or registers are repeated for each photo."""
    model = create_model(ModelSettings(backbone="test_vit2", image_size=32, weights="none"), 2)
    path = write_format(model_format, ServingModule(model, 1).eval(), torch.rand(2, 3, 32, 32), tmp_path)
    tensors = np.random.default_rng(0).random((3, 3, 32, 32), np.float32)
    with torch.no_grad():
        expected = model(torch.from_numpy(tensors)).numpy()
    logits = open_model(model_format, path, threads=1).run(tensors).logits
    np.testing.assert_allclose(logits, expected, atol=1e-4)


class Unexportable(torch.nn.Module):
    """Its operator exists in no exporter."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eig(x[:, 0])[0].real


def test_a_model_that_onnx_cannot_express_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="cannot be written as ONNX") as raised:
        write_format("onnx", Unexportable().eval(), torch.rand(2, 3, 8, 8), tmp_path)
    assert "export.formats" in raised.value.remedy and list(tmp_path.iterdir()) == []
