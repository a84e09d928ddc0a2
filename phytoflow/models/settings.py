"""Settings of the network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from phytoflow.models.families import ATTENTION_CNN, check_backbone, check_image_size
from phytoflow.settings_base import SearchChoices, Section, Share

Sha256 = Annotated[str, Field(pattern="^([0-9a-f]{64})?$")]
Backbone = Annotated[str, AfterValidator(check_backbone)]


class ModelSettings(Section):
    """The network."""

    backbone: Backbone = Field(
        "tf_efficientnet_lite0",
        description="Name of the backbone in timm, perhaps with the tag of its weights, or attention_cnn. "
        "The guide to backbones lists timm's modules that can be split.",
    )
    head: Annotated[Literal["linear", "mlp"], SearchChoices(("linear", "mlp"), ("full",))] = Field(
        "linear", description="Head: linear, or mlp (batch norm, dense 256, ReLU, dropout, dense)."
    )
    weights: str = Field(
        "imagenet",
        description="Pretrained weights: imagenet (those that timm names), none, or a file or URI.",
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
        0,
        ge=0,
        le=1024,
        description="Side of the input in pixels, at least 32 and whole patches of a transformer; 0: the "
        "backbone's default.",
    )
    dropout: Share = Field(0.4, description="Dropout rate of the mlp head.")

    @field_validator("image_size")
    @classmethod
    def _check_image_size(cls, size: int, others: ValidationInfo) -> int:
        return check_image_size(others.data.get("backbone", ""), size)

    @property
    def pretrained(self) -> bool:
        """Whether the backbone starts from weights; the attention CNN has no ImageNet weights."""
        none = ("none", "imagenet") if self.backbone == ATTENTION_CNN else ("none",)
        return self.weights not in none

    @property
    def mirrored(self) -> bool:
        """Whether ImageNet weights are read from the mirror."""
        return bool(self.hub_url) and self.weights == "imagenet" and self.backbone != ATTENTION_CNN
