"""Every backbone of the factory, taken apart and put together."""

import pytest
import safetensors.torch
import timm
import torch

from phytoflow.errors import WeightsError
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import BACKBONES, ModelSettings
from phytoflow.models.weights import imagenet_weights

LARGE = {"vgg16", "vit_base_patch16_224", "vit_small_patch16_224", "resnet50"}


def backbones() -> list[str]:
    return [b for b in BACKBONES if b not in LARGE]


def images(settings: ModelSettings, count: int = 2) -> torch.Tensor:
    size = preprocessing_for(settings).size
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("backbone", backbones())
def test_trunk_tail_and_head_are_the_model(backbone: str) -> None:
    settings = ModelSettings(backbone=backbone, weights="none")
    model = create_model(settings, 3, finetune_blocks=2)
    photos = images(settings)
    with torch.no_grad():
        features = model.tail(model.trunk(photos))
        assert features.shape == (2, model.feature_count)
        assert torch.equal(features, model.features(photos))
        assert torch.equal(model.head(features), model(photos))
    assert model(photos).shape == (2, 3)


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenetv3_large_100", "vit_tiny_patch16_224"])
def test_features_are_those_of_timm(backbone: str, tmp_path) -> None:
    torch.manual_seed(1)
    reference = timm.create_model(backbone, pretrained=False).eval()
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({k: v.contiguous() for k, v in reference.state_dict().items()}, file)
    settings = ModelSettings(backbone=backbone, weights=str(file))
    photos = images(settings, 1)
    with torch.no_grad():
        expected = reference.forward_head(reference.forward_features(photos), pre_logits=True)
        assert torch.allclose(create_model(settings, 2).features(photos), expected, atol=1e-5)


def test_every_tensor_of_the_registry_package_finds_its_place() -> None:
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    weights = imagenet_weights("tf_efficientnet_lite0")
    missing, unexpected = network.load_state_dict(weights, strict=True)
    assert not missing and not unexpected
    model = create_model(ModelSettings(), 4)
    assert torch.equal(model.body[0][0].weight, weights["conv_stem.weight"])
    assert torch.equal(model.tail[-1][0].weight, weights["conv_head.weight"])


def test_names_of_weights_do_not_depend_on_the_cut() -> None:
    settings = ModelSettings(backbone="attention_cnn", weights="none")
    one, two = create_model(settings, 2, finetune_blocks=1), create_model(settings, 2, finetune_blocks=3)
    assert list(one.state_dict()) == list(two.state_dict())
    assert len(one.tail) == 2 and len(two.tail) == 4 and len(create_model(settings, 2, 99).trunk) == 1


def test_the_dense_head_is_batch_norm_dense_256_and_dropout() -> None:
    head = create_model(ModelSettings(backbone="attention_cnn", head="mlp", dropout=0.3), 5).head
    assert [type(layer).__name__ for layer in head] == ["BatchNorm1d", "Linear", "ReLU", "Dropout", "Linear"]
    assert head[1].out_features == 256 and head[3].p == 0.3 and head[4].out_features == 5


def test_preprocessing_is_that_of_the_weights() -> None:
    lite0 = preprocessing_for(ModelSettings())
    assert (lite0.size, lite0.crop_fraction, lite0.interpolation) == (224, 0.875, "bicubic")
    assert lite0.mean == lite0.std == (0.5, 0.5, 0.5)
    resnet = preprocessing_for(ModelSettings(backbone="resnet18", image_size=160))
    assert resnet.size == 160 and resnet.mean == (0.485, 0.456, 0.406)


def test_our_own_model_s_weights_start_another(tmp_path) -> None:
    settings = ModelSettings(backbone="attention_cnn", weights="none")
    before = create_model(settings, 2)
    safetensors.torch.save_file(before.state_dict(), tmp_path / "model.safetensors")
    after = create_model(settings.model_copy(update={"weights": str(tmp_path / "model.safetensors")}), 7)
    assert torch.equal(after.body[1][0].weight, before.body[1][0].weight) and after.head.out_features == 7


def test_weights_of_another_network_are_refused(tmp_path) -> None:
    file = tmp_path / "weights.safetensors"
    network = timm.create_model("resnet18", pretrained=False)
    safetensors.torch.save_file(network.state_dict(), file)
    with pytest.raises(WeightsError, match="do not fit mobilenetv3_large_100"):
        create_model(ModelSettings(backbone="mobilenetv3_large_100", weights=str(file)), 2)
    broken = network.state_dict() | {"conv1.weight": torch.zeros(1)}
    safetensors.torch.save_file(broken, file)
    with pytest.raises(WeightsError, match=r"conv1\.weight"):
        create_model(ModelSettings(backbone="resnet18", weights=str(file)), 2)


def test_weights_that_cannot_be_had_name_the_ways_out(tmp_path) -> None:
    with pytest.raises(WeightsError) as caught:
        create_model(ModelSettings(weights=str(tmp_path / "absent.safetensors")), 2)
    assert "absent.safetensors" in caught.value.message
    assert "model.weights=none" in caught.value.remedy and "safetensors" in caught.value.remedy


def test_a_pickled_model_is_not_run(tmp_path) -> None:
    file = tmp_path / "model.pt"
    torch.save(torch.nn.Linear(2, 2), file)
    with pytest.raises(WeightsError, match="no tensors that can be read safely"):
        create_model(ModelSettings(weights=str(file)), 2)
