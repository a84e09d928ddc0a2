"""Where pretrained weights come from, and what is refused."""

from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from phytoflow.errors import WeightsError
from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings
from phytoflow.models.weights import file_weights, imagenet_weights


def test_missing_weights_name_the_remedies(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        create_model(ModelSettings(weights=str(tmp_path / "absent.safetensors")), 2)
    assert "absent.safetensors" in caught.value.message
    assert "model.weights=none" in caught.value.remedy and "safetensors" in caught.value.remedy


def test_a_pickled_model_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    torch.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(WeightsError, match="no tensors that can be read safely"):
        create_model(ModelSettings(weights=str(file)), 2)


def test_a_torch_file_of_tensors_is_read_also_within_a_checkpoint(tmp_path: Path) -> None:
    state = {"weight": torch.ones(2)}
    for content in (state, {"state_dict": state, "epoch": 3}):
        torch.save(content, tmp_path / "weights.pt")
        assert torch.equal(file_weights(str(tmp_path / "weights.pt"))["weight"], state["weight"])
    safetensors.torch.save_file(state, tmp_path / "weights.safetensors")
    assert torch.equal(file_weights(str(tmp_path / "weights.safetensors"))["weight"], state["weight"])


def test_tensors_without_names_are_refused(tmp_path: Path) -> None:
    torch.save([torch.ones(2)], tmp_path / "weights.pt")
    with pytest.raises(WeightsError, match="no state_dict"):
        file_weights(str(tmp_path / "weights.pt"))


def test_weights_that_the_hub_does_not_give_name_the_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(timm, "create_model", fail)
    with pytest.raises(WeightsError, match="no route to host") as raised:
        imagenet_weights("resnet18")
    assert "model.weights" in raised.value.remedy
