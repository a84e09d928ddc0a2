"""Settings of the network."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from phytoflow.settings_base import SearchChoices, Section, Share

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


Sha256 = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
BACKBONES: tuple[str, ...] = get_args(Backbone)


class ModelSettings(Section):
    """The network."""

    backbone: Backbone = Field(
        "tf_efficientnet_lite0", description="Name of the backbone in timm, or attention_cnn."
    )
    head: Annotated[Literal["linear", "mlp"], SearchChoices(("linear", "mlp"), ("full",))] = Field(
        "linear", description="Head: linear, or mlp (batch norm, dense 256, ReLU, dropout, dense)."
    )
    weights: str = Field(
        "imagenet", description="Pretrained weights: imagenet, none, or a file or URI (safetensors)."
    )
    weights_sha256: Sha256 = Field(
        "", description="SHA-256 of the file of weights; a file with another one is refused. Empty: any."
    )
    hub_url: str = Field(
        "",
        description="Folder or URI of an organisation's mirror with BACKBONE.safetensors, names as in timm; "
        "ImageNet weights come from there. Empty: Lite0's are installed, others come from the public hub.",
    )
    image_size: int = Field(
        0, ge=0, le=1024, description="Side of the input in pixels; 0: the backbone's default."
    )
    dropout: Share = Field(0.4, description="Dropout rate of the mlp head.")

    @property
    def pretrained(self) -> bool:
        """Whether the backbone starts from weights; the attention CNN has no ImageNet weights."""
        none = ("none", "imagenet") if self.backbone == "attention_cnn" else ("none",)
        return self.weights not in none
