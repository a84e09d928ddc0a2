"""Settings to a network with its weights."""

from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from phytoflow.errors import WeightsError
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.models.weights import imagenet_weights


def test_every_tensor_of_the_weights_package_has_its_place() -> None:
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    weights = imagenet_weights("tf_efficientnet_lite0")
    missing, unexpected = network.load_state_dict(weights, strict=True)
    assert not missing and not unexpected
    model = create_model(ModelSettings(), 4)
    assert torch.equal(model.body[0][0].weight, weights["conv_stem.weight"])
    assert torch.equal(model.tail[-1][0].weight, weights["conv_head.weight"])


def test_preprocessing_is_that_of_the_weights() -> None:
    lite0 = preprocessing_for(ModelSettings())
    assert (lite0.size, lite0.crop_fraction, lite0.interpolation) == (224, 0.875, "bicubic")
    assert lite0.mean == lite0.std == (0.5, 0.5, 0.5)
    resnet = preprocessing_for(ModelSettings(backbone="resnet18", image_size=160))
    assert resnet.size == 160 and resnet.mean == (0.485, 0.456, 0.406)


def test_weights_of_this_projects_own_network_start_another(tmp_path: Path) -> None:
    settings = ModelSettings(backbone="attention_cnn", weights="none")
    before = create_model(settings, 2)
    safetensors.torch.save_file(before.state_dict(), tmp_path / "model.safetensors")
    after = create_model(settings.model_copy(update={"weights": str(tmp_path / "model.safetensors")}), 7)
    assert torch.equal(after.body[1][0].weight, before.body[1][0].weight) and after.head.out_features == 7


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    network = timm.create_model("resnet18", pretrained=False)
    safetensors.torch.save_file(network.state_dict(), file)
    with pytest.raises(WeightsError, match="do not fit mobilenetv3_large_100"):
        create_model(ModelSettings(backbone="mobilenetv3_large_100", weights=str(file)), 2)
    broken = network.state_dict() | {"conv1.weight": torch.zeros(1)}
    safetensors.torch.save_file(broken, file)
    with pytest.raises(WeightsError, match=r"conv1\.weight"):
        create_model(ModelSettings(backbone="resnet18", weights=str(file)), 2)
