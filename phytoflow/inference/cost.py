"""What a network costs when it is used: parameters, bytes of its weights, milliseconds a photo."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from phytoflow.inference.latency import interleaved_medians
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings

_ROUNDS = 9  # timings behind the median
_FLOAT_BYTES = 4


@dataclass(frozen=True)
class ModelCost:
    """The cost of a network; training does not change it.

    Attributes:
        parameters: Number of parameters.
        megabytes: Size of the float32 weights, the larger part of a bundle.
        milliseconds: Time of one photo in PyTorch on this machine's CPUs. A predictor's runtimes are faster.
    """

    parameters: int
    megabytes: float
    milliseconds: float

    def describe(self) -> str:
        """One line."""
        size = f"{self.parameters / 1e6:.1f} million parameters, {self.megabytes:.1f} MB"
        return f"{size}, {self.milliseconds:.0f} ms a photo in PyTorch on this CPU"


def measure_cost(settings: ModelSettings, classes: int) -> ModelCost:
    """Measures a network before it is trained; needs no pretrained weights.

    Args:
        settings: Settings of the network.
        classes: Number of classes.
    """
    network = create_model(settings.model_copy(update={"weights": "none"}), classes)
    size = preprocessing_for(settings).size
    photo = torch.zeros(1, 3, size, size)
    with torch.inference_mode():
        (milliseconds,) = interleaved_medians([lambda: network(photo)], _ROUNDS)
    parameters = sum(weight.numel() for weight in network.parameters())
    values = sum(value.numel() for value in network.state_dict().values())
    return ModelCost(parameters, values * _FLOAT_BYTES / 1e6, milliseconds)
