"""One factory for every network: settings in, a classifier with its weights out."""

from __future__ import annotations

import logging
from typing import Any

import timm
from torch import nn

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import WeightsError
from phytoflow.models.backbones import own_parts, take_apart
from phytoflow.models.heads import create_head
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings
from phytoflow.models.weights import StateDict, file_weights, imagenet_weights

OWN = "attention_cnn"
DEFAULT_TAIL_BLOCKS = 8
_LOG = logging.getLogger(__name__)
_BODY = "body."


def create_model(
    settings: ModelSettings, classes: int, finetune_blocks: int = DEFAULT_TAIL_BLOCKS
) -> PhotoClassifier:
    """Builds the network that the settings name, with its pretrained weights; the head starts untrained.

    Args:
        settings: Backbone, head and weights. The attention CNN has no ImageNet weights: ``imagenet`` then
            means none.
        classes: Number of classes.
        finetune_blocks: Blocks that belong to the tail; weights' names do not depend on it.

    Returns:
        The model in evaluation mode: photos float [N, 3, H, W] to logits [N, classes].

    Raises:
        WeightsError: The weights cannot be had, or do not fit the backbone.
    """
    weights = "none" if settings.backbone == OWN and settings.weights == "imagenet" else settings.weights
    state = _weights(weights, settings.backbone)
    network = None if settings.backbone == OWN else _network(settings, state)
    parts = own_parts() if network is None else take_apart(settings.backbone, network)
    model = PhotoClassifier(parts, create_head(settings, parts.features, classes), finetune_blocks)
    if state is not None and _is_own(state):
        _load(model, {k: v for k, v in state.items() if k.startswith(_BODY)}, settings, ignore="head.")
    return model.eval()


def preprocessing_for(settings: ModelSettings) -> Preprocessing:
    """How photos must be prepared for a backbone: as its ImageNet weights were trained."""
    if settings.backbone == OWN:
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


def _weights(weights: str, backbone: str) -> StateDict | None:
    if weights == "none":
        return None
    return imagenet_weights(backbone) if weights == "imagenet" else file_weights(weights)


def _network(settings: ModelSettings, state: StateDict | None) -> Any:
    resizable = settings.backbone.startswith("vit") and settings.image_size
    size: dict[str, Any] = {"img_size": settings.image_size} if resizable else {}
    network: Any = timm.create_model(settings.backbone, pretrained=False, num_classes=1000, **size)
    if state is not None and not _is_own(state):
        classifier = network.pretrained_cfg["classifier"] + "."
        state = {name: value for name, value in state.items() if not name.startswith(classifier)}
        _load(network, _resized(network, state), settings, ignore=classifier)
    return network


def _resized(network: Any, state: StateDict) -> StateDict:
    """A transformer's positions are interpolated where the image size is another."""
    if "pos_embed" not in state:
        return state
    from timm.models.vision_transformer import checkpoint_filter_fn

    return checkpoint_filter_fn(dict(state), network)


def _is_own(state: StateDict) -> bool:
    return any(name.startswith(_BODY) for name in state)


def _load(module: nn.Module, state: StateDict, settings: ModelSettings, ignore: str) -> None:
    """Loads what belongs to the backbone; anything missing, superfluous or misshapen is an error."""
    try:
        missing, unexpected = module.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise _unfit(settings, str(error).splitlines()[-1].strip()) from error
    if missing := [name for name in missing if not name.startswith(ignore)]:
        raise _unfit(settings, f"{len(missing)} tensors are missing, e.g. {missing[0]}")
    if unexpected:
        raise _unfit(settings, f"{len(unexpected)} tensors do not belong to it, e.g. {unexpected[0]}")
    _LOG.info("weights %s: %d tensors of %s", settings.weights, len(state), settings.backbone)


def _unfit(settings: ModelSettings, what: str) -> WeightsError:
    return WeightsError(
        f"weights {settings.weights} do not fit {settings.backbone}: {what}",
        remedy="name the backbone these weights were made for, with the names that timm gives",
    )
