"""The frozen trunk and tail, compiled for the device."""

from __future__ import annotations

import logging
from collections.abc import Callable

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
Features = tuple[NDArray[np.float16], NDArray[np.float32]]
"""Activations [N, ...] as they are cached, and the pooled features [N, D] computed from just those."""
Extractor = Callable[[Tensor], Features]
"""From photos, uint8 [N, 3, size, size]; may be called from several threads at once."""


def compile_extractor(model: PhotoClassifier, device: Device, preprocessing: Preprocessing) -> Extractor:
    """Compiles the layers that give a photo's activations and features.

    On CPUs this is ONNX Runtime with one thread for each call: much faster than a frozen TorchScript trace.

    Args:
        model: Its trunk and tail are used as they are now.
        device: Where to compute.
        preprocessing: From photos to the model's input.
    """
    network = _TrunkAndTail(model, preprocessing).to(device.kind).to(memory_format=torch.channels_last).eval()
    if device.kind == "cpu":
        try:
            return _compile_for_cpu(network, preprocessing.size)
        except Exception as error:  # exporter and runtime raise whatever the model provokes
            reason = str(error)[:200]
            _LOG.info("ONNX Runtime cannot run the frozen layers (%s); torch does, more slowly", reason)
    return _run_on_device(network, device)


def _compile_for_cpu(network: nn.Module, size: int) -> Extractor:
    example = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    content = trace_onnx(network, (example,), ["photos"], ["activations", "features"])
    session = open_session(content, threads=1)

    def extract(photos: Tensor) -> Features:
        activations, features = session.run(None, {"photos": photos.contiguous().numpy()})
        return activations, features

    return extract


def _run_on_device(network: nn.Module, device: Device) -> Extractor:
    def extract(photos: Tensor) -> Features:
        with torch.inference_mode(), device.autocast():
            activations, features = network(photos.to(device.kind, non_blocking=True))
        return activations.cpu().numpy(), features.float().cpu().numpy()

    return extract


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
