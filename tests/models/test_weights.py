"""Where pretrained weights come from, and what is refused."""

import hashlib
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from phytoflow.errors import WeightsError
from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings
from phytoflow.models.weights import describe_start, file_weights, imagenet_weights


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


def test_a_file_with_another_hash_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({"weight": torch.ones(2)}, file)
    right = hashlib.sha256(file.read_bytes()).hexdigest()
    assert set(file_weights(str(file), right)) == {"weight"}
    with pytest.raises(WeightsError, match=f"{right}.*weights_sha256") as raised:
        create_model(ModelSettings(weights=str(file), weights_sha256="0" * 64), 2)
    assert "trust" in raised.value.remedy


def test_imagenet_weights_come_from_the_mirror_that_is_named(tmp_path: Path) -> None:
    network = timm.create_model("resnet18", pretrained=False)
    torch.nn.init.constant_(network.bn1.bias, 0.25)
    safetensors.torch.save_file(network.state_dict(), tmp_path / "resnet18.safetensors")
    model = create_model(ModelSettings(backbone="resnet18", hub_url=str(tmp_path)), 2)
    assert torch.equal(model.body[0][1].bias, torch.full((64,), 0.25))
    with pytest.raises(WeightsError, match=r"resnet50\.safetensors"):
        create_model(ModelSettings(backbone="resnet50", hub_url=str(tmp_path)), 2)


@pytest.mark.parametrize("text", ["abc", "G" * 64, "a" * 63])
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="weights_sha256"):
        ModelSettings(weights_sha256=text)


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "started from timm's weights tf_efficientnet_lite0.in1k, licence apache-2.0"),
        (
            {"backbone": "convnext_tiny.fb_in22k"},
            "started from timm's weights convnext_tiny.fb_in22k, licence apache-2.0",
        ),
        ({"backbone": "vit_small_patch16_dinov3"}, ", licence dinov3-license"),
        ({"backbone": "attention_cnn"}, "trained from random weights"),
        ({"weights": "none"}, "trained from random weights"),
        ({"hub_url": "s3://mirror"}, "the weights s3://mirror; their licence is not"),
        (
            {"weights": "a.safetensors", "weights_sha256": "0" * 64},
            f"weights a.safetensors, SHA-256 {'0' * 64}",
        ),
    ],
)
def test_what_a_training_starts_from(settings: dict[str, str], line: str) -> None:
    assert line in describe_start(ModelSettings(**settings))
