"""Mixing of photos with their labels."""

import pytest
import torch

from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.mixing import create_mixing, mix_batch
from phytoflow.training.settings import TrainingSettings


def settings(*, mix: bool = True, **changes: object) -> FitSettings:
    training = TrainingSettings(**changes)  # type: ignore[arg-type]
    return FitSettings(training, learning_rate=1.0, epochs=2, learn_norms=False, patience=0, mix=mix)


@pytest.mark.parametrize("shape", [(6, 4, 8, 8), (6, 5, 7), (6, 10)])
def test_inputs_of_any_shape_are_mixed_with_their_labels(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    mix = create_mixing(settings(mixup=1.0), 3)
    assert mix is not None and create_mixing(settings(), 3) is None
    assert create_mixing(settings(mixup=1.0, mix=False), 3) is None
    inputs, labels = torch.randn(shape), torch.tensor([0, 1, 2, 0, 1, 2])
    mixed, targets = mix_batch(mix, inputs, labels)
    assert mixed.shape == shape and targets.shape == (6, 3)
    share = targets[0, 0]
    assert torch.allclose(mixed[0], share * inputs[0] + (1 - share) * inputs[-1], atol=1e-5)
