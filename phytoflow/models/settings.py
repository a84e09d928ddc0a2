"""Settings of the network."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from phytoflow.settings_base import Section, Share

Backbone = Literal[
    "tf_efficientnet_lite0",
    "resnet18",
    "resnet50",
    "efficientnet_b0",
    "mobilenetv3_large_100",
    "vgg16",
    "vit_tiny_patch16_224",
    "vit_small_patch16_224",
    "vit_base_patch16_224",
    "attention_cnn",
]


BACKBONES: tuple[str, ...] = get_args(Backbone)


class ModelSettings(Section):
    """The network."""

    backbone: Backbone = Field("tf_efficientnet_lite0", description="timm model name, or attention_cnn.")
    head: Literal["linear", "mlp"] = Field("linear", description="linear, or GAP-BN-Dense256-Dropout (mlp).")
    weights: str = Field("imagenet", description="imagenet, none, or a file or URI of weights (safetensors).")
    image_size: int = Field(0, ge=0, le=1024, description="Input side in pixels; 0: the backbone's own.")
    dropout: Share = Field(0.4, description="Dropout rate of the mlp head.")
