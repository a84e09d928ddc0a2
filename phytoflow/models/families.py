"""Names of backbones: which of timm's can be split, and which sizes of the input they take."""

from __future__ import annotations

import re

from pydantic_core import PydanticCustomError

ATTENTION_CNN = "attention_cnn"
FAMILIES = ("convnext", "efficientnet", "eva", "mobilenetv3", "resnet", "vgg", "vision_transformer")
"""timm's modules whose networks ``phytoflow.models.backbones`` splits."""
MIN_IMAGE_SIZE = 32  # five halvings leave one place
_FAMILIAR = (  # known without timm, whose import takes seconds
    ATTENTION_CNN,
    "tf_efficientnet_lite0",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "mobilenetv3_large_100",
    "vgg16",
    "vit_tiny_patch16_224",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
)
_PATCH = re.compile(r"patch(\d+)")


def check_backbone(name: str) -> str:
    """Checks a backbone's name; where timm is not installed, training does.

    Args:
        name: ``attention_cnn``, or a name of timm, which may carry the tag of its weights
            (``convnext_tiny.in12k_ft_in1k``).

    Returns:
        The name.

    Raises:
        PydanticCustomError: timm has no such backbone, or it is of a family that cannot be split.
    """
    if name in _FAMILIAR:
        return name
    try:
        import timm
    except ImportError:
        return name
    architecture, _, tag = name.partition(".")
    tags = timm.models.get_arch_pretrained_cfgs(architecture) if timm.is_model(architecture) else {}
    if not timm.models.is_model_in_modules(architecture, FAMILIES):
        known = [model for family in FAMILIES for model in timm.list_models(module=family)]
        rule = f"{ATTENTION_CNN}, or a backbone of timm's families {', '.join(FAMILIES)}"
        raise _refusal(rule, [*_FAMILIAR, *known])
    config = timm.get_pretrained_cfg(architecture)
    if config and config.input_size[1] != config.input_size[2]:
        raise _refusal("a backbone that takes square photos", [])
    if tag and name not in tags:
        rule = f"one of the weights that timm has for {architecture}: {', '.join(tags)}"
        raise _refusal(rule, list(tags))
    return name


def check_image_size(backbone: str, size: int) -> int:
    """Checks the side of the input; 0 is the backbone's default.

    Raises:
        PydanticCustomError: It is too small, or a transformer's patches would not cover the photo.
    """
    patch = _PATCH.search(backbone)
    side = int(patch[1]) if patch else 1
    if size and (size < MIN_IMAGE_SIZE or size % side):
        nearest = max(round(size / side), -(-MIN_IMAGE_SIZE // side)) * side
        patches = f" and a multiple of {side}, the side of a patch of {backbone}" if patch else ""
        raise _refusal(f"0, or at least {MIN_IMAGE_SIZE}{patches}; the nearest is {nearest}", [])
    return size


def _refusal(rule: str, allowed: list[str]) -> PydanticCustomError:
    """The settings' loader names the nearest of the allowed names."""
    return PydanticCustomError("backbone", "{rule}", {"rule": rule, "expected": ", ".join(allowed)})
