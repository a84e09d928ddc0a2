"""The frozen layers give the same features, whatever runs them."""

import numpy as np
import pytest
import torch

from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.network import PhotoClassifier
from phytoflow.training.engine.device import find_device
from phytoflow.training.features import extractor as module
from phytoflow.training.settings import TrainingSettings
from tests.support.small_training import MODEL

PREPROCESSING = preprocessing_for(MODEL)
DEVICE = find_device(TrainingSettings(device="cpu"))


def pictures(count: int) -> torch.Tensor:
    shape = (count, 3, PREPROCESSING.size, PREPROCESSING.size)
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model() -> PhotoClassifier:
    return create_model(MODEL, 2).eval()


@pytest.mark.parametrize("count", [1, 3])
def test_onnx_runtime_gives_what_torch_gives(model: PhotoClassifier, count: int) -> None:
    photos = pictures(count)
    activations, features = module.compile_extractor(model, DEVICE, PREPROCESSING)(photos)
    with torch.inference_mode():
        inputs = torch.from_numpy(PREPROCESSING.normalise(photos.permute(0, 2, 3, 1).numpy()))
        expected = model.trunk(inputs).numpy()
    assert activations.dtype == np.float16
    assert np.abs(activations - expected).max() < 0.01 * np.abs(expected).max()
    again = model.tail(torch.from_numpy(activations.astype(np.float32))).detach().numpy()
    assert features.dtype == np.float32 and np.allclose(features, again, atol=1e-3)


def test_layers_that_cannot_be_traced_are_run_by_torch(
    model: PhotoClassifier, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    photos = pictures(2)
    traced = module.compile_extractor(model, DEVICE, PREPROCESSING)(photos)

    def refuse(*_: object) -> None:
        raise RuntimeError("no such operator")

    monkeypatch.setattr(module, "trace_onnx", refuse)
    with caplog.at_level("INFO"):
        live = module.compile_extractor(model, DEVICE, PREPROCESSING)(photos)
    assert "no such operator" in caplog.text
    assert np.allclose(traced[1], live[1], atol=0.01 * np.abs(live[1]).max())
