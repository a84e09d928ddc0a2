"""Which backbones and which sizes of their input are allowed."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pydantic_core import PydanticCustomError

from phytoflow.models.families import check_backbone, check_image_size


@pytest.mark.parametrize(
    "name",
    [
        "attention_cnn",
        "convnext_tiny.in12k_ft_in1k",
        "tf_efficientnetv2_s",
        "vit_small_patch14_dinov2.lvd142m",
        "vit_small_patch16_dinov3",
        "vit_base_patch16_siglip_224",
        "eva02_tiny_patch14_224",
        "mobilenetv3_small_100",
        "mobilenetv4_conv_small",
        "vit_base_patch16_224",
        "swin_tiny_patch4_window7_224.ms_in22k_ft_in1k",
        "swinv2_tiny_window8_256",
        "regnety_008",
        "maxvit_tiny_tf_224",
        "caformer_s18",
        "fastvit_t8",
        "repvgg_a0",
    ],
)
def test_backbones_of_every_family_are_allowed(name: str) -> None:
    assert check_backbone(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("convnext_tny", "or a backbone of timm's families byobnet, "),
        ("cait_xxs24_224", "vovnet; cait_xxs24_224 is of cait, which cannot be split"),
        ("vit_base_patch16_sapiens2", "square photos"),
        ("convnext_tiny.in1k", r"weights that timm has for convnext_tiny: .*convnext_tiny\.fb_in1k"),
    ],
)
def test_other_backbones_are_refused(name: str, words: str) -> None:
    with pytest.raises(PydanticCustomError, match=words):
        check_backbone(name)


def test_without_timm_names_are_left_to_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, Any] = {"timm": None}
    monkeypatch.setitem(sys.modules, "timm", modules["timm"])
    assert check_backbone("convnext_tny") == "convnext_tny"


@pytest.mark.parametrize(
    ("backbone", "size"),
    [
        ("resnet18", 0),
        ("resnet18", 33),
        ("eva02_tiny_patch14_224", 56),
        ("test_vit", 32),
        ("swin_tiny_patch4_window7_224", 96),
        ("regnety_008", 33),
        ("resnet50_clip", 224),
    ],
)
def test_sizes_that_a_backbone_takes(backbone: str, size: int) -> None:
    assert check_image_size(backbone, size) == size


@pytest.mark.parametrize(
    ("backbone", "size", "words"),
    [
        ("resnet18", 31, "0, or at least 32; the nearest is 32"),
        (
            "eva02_tiny_patch14_224",
            232,
            "a multiple of 14, the side of a patch of eva02.*; the nearest is 238",
        ),
        ("eva02_tiny_patch14_224", 14, "at least 32 and a multiple of 14.*; the nearest is 42"),
        ("swin_tiny_patch4_window7_224", 100, "a multiple of 32, the reduction of swin.*; the nearest is 96"),
        ("resnet50_clip", 96, "0 or 224, the one size that resnet50_clip takes"),
    ],
)
def test_other_sizes_are_refused(backbone: str, size: int, words: str) -> None:
    with pytest.raises(PydanticCustomError, match=words):
        check_image_size(backbone, size)
