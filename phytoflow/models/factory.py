"""Creates every network: settings in, a classifier with its weights out."""

from __future__ import annotations

import logging
import sys
from typing import Any

import timm
from torch import nn

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import WeightsError
from phytoflow.models.backbones import attention_cnn_parts, split_backbone
from phytoflow.models.families import ATTENTION_CNN, SIZED_FAMILIES
from phytoflow.models.heads import create_head
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings
from phytoflow.models.weights import StateDict, file_weights, imagenet_weights
from phytoflow.storage.uri import join

DEFAULT_FINETUNE_BLOCKS = 8
_LOG = logging.getLogger(__name__)
_BODY = "body."  # begins the names of this project's own weights


def create_model(
    settings: ModelSettings, classes: int, finetune_blocks: int = DEFAULT_FINETUNE_BLOCKS
) -> PhotoClassifier:
    """Creates the network of the settings with its pretrained weights and an untrained head.

    Args:
        settings: Backbone, head and weights. The attention CNN has no ImageNet weights: ``imagenet`` then
            means none.
        classes: Number of classes.
        finetune_blocks: Blocks that belong to the tail; the names of weights do not depend on it.

    Returns:
        The model in evaluation mode: photos float [N, 3, H, W] to logits [N, classes].

    Raises:
        WeightsError: The weights are not available, or do not fit the backbone.
    """
    own = settings.backbone == ATTENTION_CNN
    state = _load_weights("none" if own and settings.weights == "imagenet" else settings.weights, settings)
    parts = attention_cnn_parts() if own else split_backbone(_create_network(settings, state))
    model = PhotoClassifier(parts, create_head(settings, parts.features, classes), finetune_blocks)
    if state is not None and _is_own(state):
        _load(model, {k: v for k, v in state.items() if k.startswith(_BODY)}, settings, ignore="head.")
    return model.eval()


def preprocessing_for(settings: ModelSettings) -> Preprocessing:
    """The preprocessing of a backbone: that of its ImageNet weights."""
    if settings.backbone == ATTENTION_CNN:
        own = Preprocessing(size=settings.image_size or 128, interpolation="bilinear")
        return own.with_current_decoder()
    config: Any = timm.get_pretrained_cfg(settings.backbone)
    return Preprocessing(
        size=settings.image_size or config.input_size[-1],
        crop_fraction=config.crop_pct,
        interpolation=config.interpolation,
        mean=config.mean,
        std=config.std,
    ).with_current_decoder()


def _load_weights(weights: str, settings: ModelSettings) -> StateDict | None:
    if weights == "none":
        return None
    if weights != "imagenet":
        return file_weights(weights, settings.weights_sha256)
    if settings.hub_url:
        return file_weights(
            join(settings.hub_url, f"{settings.backbone}.safetensors"), settings.weights_sha256
        )
    return imagenet_weights(settings.backbone)


def _create_network(settings: ModelSettings, state: StateDict | None) -> Any:
    size: dict[str, Any] = (
        {"img_size": settings.image_size} if settings.image_size and _is_sized(settings) else {}
    )
    network: Any = timm.create_model(settings.backbone, pretrained=False, num_classes=1000, **size)
    if state is not None and not _is_own(state):
        classifier = network.pretrained_cfg["classifier"] + "."
        state = {name: value for name, value in state.items() if not name.startswith(classifier)}
        if _is_sized(settings):
            state = _resize_positions(network, state)
        _load(network, state, settings, ignore=classifier)
    return network


def _is_sized(settings: ModelSettings) -> bool:
    return bool(timm.models.is_model_in_modules(settings.backbone, SIZED_FAMILIES))


def _resize_positions(network: Any, state: StateDict) -> StateDict:
    """Interpolates position embeddings and tables of relative positions if the image size is another."""
    resized: StateDict = sys.modules[type(network).__module__].checkpoint_filter_fn(dict(state), network)
    return resized


def _is_own(state: StateDict) -> bool:
    """Whether weights come from a network of this project and not from timm."""
    return any(name.startswith(_BODY) for name in state)


def _load(module: nn.Module, state: StateDict, settings: ModelSettings, ignore: str) -> None:
    """Loads the backbone's weights; a missing, superfluous or misshapen tensor is an error."""
    try:
        missing, unexpected = module.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise _mismatch(settings, str(error).splitlines()[-1].strip()) from error
    if missing := [name for name in missing if not name.startswith(ignore)]:
        raise _mismatch(settings, f"{len(missing)} tensors are missing, e.g. {missing[0]}")
    if unexpected:
        raise _mismatch(settings, f"{len(unexpected)} tensors do not belong to it, e.g. {unexpected[0]}")
    _LOG.info("weights %s: %d tensors of %s", settings.weights, len(state), settings.backbone)


def _mismatch(settings: ModelSettings, what: str) -> WeightsError:
    return WeightsError(
        f"weights {settings.weights} do not fit {settings.backbone}: {what}",
        remedy="name the backbone these weights were made for, with the names that timm gives",
    )
