"""Names of backbones: which of timm's can be split, and which sizes of the input they take."""

from __future__ import annotations

import re

from pydantic_core import PydanticCustomError

ATTENTION_CNN = "attention_cnn"
SIZED_FAMILIES = ("eva", "maxxvit", "swin_transformer", "swin_transformer_v2", "vision_transformer")
"""timm's modules whose networks are built for one size of the input."""
_ANY_SIZE = (
    "byobnet", "convnext", "cspnet", "davit", "edgenext", "efficientnet", "efficientvit_mit",
    "fastvit", "focalnet", "hgnet", "inception_next", "mambaout", "metaformer", "mobilenetv3",
    "mobilevit", "nextvit", "regnet", "res2net", "resnest", "resnet", "resnetv2", "sknet",
    "tiny_vit", "vgg", "vovnet",
)  # fmt: skip
FAMILIES = tuple(sorted((*SIZED_FAMILIES, *_ANY_SIZE)))
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
_WINDOWED = re.compile(r"swin|maxvit|maxxvit|coatnet|coatnext")  # four halvings, and windows of the rest


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
        rule = f"{ATTENTION_CNN}, or a backbone of timm's families {', '.join(FAMILIES)}"
        if timm.is_model(architecture):
            family = timm.model_entrypoint(architecture).__module__.rpartition(".")[2]
            raise _refusal(f"{rule}; {architecture} is of {family}, which cannot be split", [])
        known = [model for family in FAMILIES for model in timm.list_models(module=family)]
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
    only = _only_size(backbone)
    if only and size not in (0, only):
        raise _refusal(f"0 or {only}, the one size that {backbone} takes", [])
    side, what = _smallest_step(backbone)
    if size and (size < MIN_IMAGE_SIZE or size % side):
        nearest = max(round(size / side), -(-MIN_IMAGE_SIZE // side)) * side
        multiple = f" and a multiple of {side}, {what} of {backbone}" if side > 1 else ""
        raise _refusal(f"0, or at least {MIN_IMAGE_SIZE}{multiple}; the nearest is {nearest}", [])
    return size


def _only_size(backbone: str) -> int:
    """The side of the input if the network cannot be built for another one; else 0."""
    if backbone in _FAMILIAR:
        return 0
    try:
        import timm
    except ImportError:
        return 0
    config = timm.get_pretrained_cfg(backbone) if timm.is_model(backbone) else None
    if not config or not config.fixed_input_size:
        return 0
    return 0 if timm.models.is_model_in_modules(backbone, SIZED_FAMILIES) else int(config.input_size[-1])


def _smallest_step(backbone: str) -> tuple[int, str]:
    """What sizes of the input are multiples of, in words, too."""
    if _WINDOWED.match(backbone):
        return 32, "the reduction"
    patch = _PATCH.search(backbone)
    return (int(patch[1]), "the side of a patch") if patch else (1, "")


def _refusal(rule: str, allowed: list[str]) -> PydanticCustomError:
    """The settings' loader names the nearest of the allowed names."""
    return PydanticCustomError("backbone", "{rule}", {"rule": rule, "expected": ", ".join(allowed)})
