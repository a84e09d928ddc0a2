"""Every backbone, split into parts."""

from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from phytoflow.models.backbones import attention_cnn_parts, split_backbone
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings

BACKBONES = [
    "attention_cnn",
    "tf_efficientnet_lite0",
    "resnet18",
    "efficientnet_b0",
    "mobilenetv3_large_100",
    "vit_tiny_patch16_224",
]
OF_TIMM = [
    "convformer_s18",  # stages that are no rows of blocks
    "efficientvit_b0",  # a head of its own
    "hgnetv2_b0",
    "mobilenetv3_small_050",
    "regnetx_002",
    "resnest14d",
    "test_byobnet",
    "test_coatnet",
    "test_convnext",  # normalises after pooling
    "test_convnext2",  # normalises before it
    "test_efficientnet",
    "test_mambaout",  # channels last
    "test_maxvit",
    "test_resnet",
    "test_vit",  # class token
    "test_vit2",  # registers and their mean
    "test_vit3",  # attention pooling
]


def images(settings: ModelSettings, count: int = 2) -> torch.Tensor:
    size = preprocessing_for(settings).size
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("backbone", BACKBONES)
def test_trunk_tail_and_head_in_a_row_are_the_model(backbone: str) -> None:
    settings = ModelSettings(backbone=backbone, weights="none")
    model = create_model(settings, 3, finetune_blocks=2)
    photos = images(settings)
    with torch.no_grad():
        features = model.tail(model.trunk(photos))
        assert features.shape == (2, model.feature_count)
        assert torch.equal(features, model.features(photos))
        assert torch.equal(model.head(features), model(photos))
    assert model(photos).shape == (2, 3)


@pytest.mark.parametrize("backbone", OF_TIMM)
def test_features_are_those_of_timm(backbone: str, tmp_path: Path) -> None:
    torch.manual_seed(1)
    reference = timm.create_model(backbone, pretrained=False).eval()
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({k: v.contiguous() for k, v in reference.state_dict().items()}, file)
    settings = ModelSettings(backbone=backbone, weights=str(file))
    photos = images(settings, 1)
    with torch.no_grad():
        expected = reference.forward_head(reference.forward_features(photos), pre_logits=True)
        assert torch.allclose(create_model(settings, 2).features(photos), expected, atol=1e-5)


def test_vgg_is_split_at_its_convolutions_and_loses_its_dense_layers() -> None:
    parts = split_backbone(timm.create_model("vgg11", pretrained=False))
    assert len(parts.blocks) == 7  # and one in the stem
    assert sum(p.numel() for block in parts.blocks for p in block.parameters()) < 10_000_000
    photos = torch.zeros(1, 3, 64, 64)
    assert parts.final(torch.nn.Sequential(parts.stem, *parts.blocks)(photos)).shape == (1, 512)


def test_the_attention_cnn_has_three_blocks() -> None:
    parts = attention_cnn_parts()
    network = torch.nn.Sequential(parts.stem, *parts.blocks, parts.final)
    assert len(parts.blocks) == 3 and network(torch.zeros(2, 3, 64, 64)).shape == (2, parts.features)
