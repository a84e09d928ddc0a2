"""The frozen trunk and tail, run as fast as the device can."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.inference.runtimes.onnx import open_session
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.onnx_export import trace_onnx
from phytoflow.training.engine.device import Device

_LOG = logging.getLogger(__name__)
Answer = tuple[NDArray[np.float16], NDArray[np.float32]]
"""Activations [N, ...] as they are kept, and the pooled features [N, D] that follow from just those."""
Frozen = Callable[[Tensor], Answer]
"""From photos, uint8 [N, 3, size, size]; safe to call from several threads at once."""


def frozen(model: PhotoClassifier, device: Device, preprocessing: Preprocessing) -> Frozen:
    """What computes a model's activations and features.

    On CPUs it is ONNX Runtime, one thread a call: much faster than a frozen TorchScript trace.

    Args:
        model: Its trunk and tail, as they are now.
        device: Where to compute.
        preprocessing: From photos to its input.
    """
    network = _TrunkAndTail(model, preprocessing).to(device.kind).to(memory_format=torch.channels_last).eval()
    if device.kind == "cpu":
        try:
            return _on_cpu(network, preprocessing.size)
        except Exception as error:  # exporter and runtime raise whatever the model provokes
            _LOG.info(
                "ONNX Runtime cannot run the frozen layers (%s); torch does, more slowly", str(error)[:200]
            )
    return _on_device(network, device)


def _on_cpu(network: nn.Module, size: int) -> Frozen:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frozen.onnx"
        example = torch.zeros(2, 3, size, size, dtype=torch.uint8)
        trace_onnx(network, (example,), path, ["photos"], ["activations", "features"])
        session = open_session(str(path), threads=1)

    def run(photos: Tensor) -> Answer:
        activations, features = session.run(None, {"photos": photos.contiguous().numpy()})
        return activations, features

    return run


def _on_device(network: nn.Module, device: Device) -> Frozen:
    def run(photos: Tensor) -> Answer:
        with torch.inference_mode(), device.autocast():
            activations, features = network(photos.to(device.kind, non_blocking=True))
        return activations.cpu().numpy(), features.float().cpu().numpy()

    return run


class _TrunkAndTail(nn.Module):
    def __init__(self, model: PhotoClassifier, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.trunk, self.tail, self.preprocessing = model.trunk, model.tail, preprocessing

    def forward(self, photos: Tensor) -> tuple[Tensor, Tensor]:
        activations = self.trunk(to_input(photos, self.preprocessing)).half()
        return activations, self.tail(activations.float())


def to_input(photos: Tensor, preprocessing: Preprocessing) -> Tensor:
    """Photos, uint8 [N, 3, H, W], to the network's input, float [N, 3, H, W], on the same device."""
    mean = torch.tensor(preprocessing.mean, device=photos.device).view(1, 3, 1, 1)
    std = torch.tensor(preprocessing.std, device=photos.device).view(1, 3, 1, 1)
    return ((photos.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)
