"""Schedule, averaging and mixing."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from phytoflow.training.distributed.shares import WHOLE
from phytoflow.training.engine.lightning_module import (
    FinetuneModule,
    FitSettings,
    _mix,
    _mixing,
    _rate_factor,
    _update_average,
)
from phytoflow.training.settings import TrainingSettings


def settings(*, mix: bool = True, **changes: object) -> FitSettings:
    training = TrainingSettings(**changes)  # type: ignore[arg-type]
    return FitSettings(training, learning_rate=1.0, epochs=2, learn_norms=False, patience=0, mix=mix)


def test_the_rate_rises_and_then_falls_to_zero() -> None:
    factors = [_rate_factor("cosine", 100)(step) for step in range(101)]
    peak = factors.index(max(factors))
    assert factors[0] < 0.1 and 15 <= peak <= 25 and factors[100] == pytest.approx(0, abs=1e-9)
    assert factors[:peak] == sorted(factors[:peak]) and factors[peak:] == sorted(factors[peak:], reverse=True)
    assert _rate_factor("constant", 100)(90) == 1.0


def test_the_average_remembers_more_as_steps_go_by() -> None:
    def average_after(decay: float, steps: int) -> list[float]:
        average = [torch.zeros(1), torch.full((1,), 2.0)]
        _update_average(decay)(average, [torch.ones(1), torch.ones(1)], torch.tensor(steps))
        return [weight.item() for weight in average]

    assert average_after(0.9, 1) == pytest.approx([1 - 2 / 11, 1 + 2 / 11])
    assert average_after(0.9, 1000) == pytest.approx([0.1, 1.9])
    assert average_after(0.0, 50) == [1, 1]


@pytest.mark.parametrize("shape", [(6, 4, 8, 8), (6, 5, 7), (6, 10)])
def test_inputs_of_any_shape_are_mixed_with_their_labels(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    mix = _mixing(settings(mixup=1.0), 3)
    assert mix is not None and _mixing(settings(), 3) is None
    assert _mixing(settings(mixup=1.0, mix=False), 3) is None
    inputs, labels = torch.randn(shape), torch.tensor([0, 1, 2, 0, 1, 2])
    mixed, targets = _mix(mix, inputs, labels)
    assert mixed.shape == shape and targets.shape == (6, 3)
    share = targets[0, 0]
    assert torch.allclose(mixed[0], share * inputs[0] + (1 - share) * inputs[-1], atol=1e-5)


class StreamedNothing:
    """Batches of which there are none."""

    share = WHOLE

    def train(self, epoch: int) -> list[Any]:
        """See Batches."""
        return []

    def validation(self) -> list[Any]:
        """See Batches."""
        return []


def test_frozen_norms_do_not_learn_but_others_do() -> None:
    def norm_after_a_step(learn: bool) -> torch.nn.BatchNorm1d:
        network = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
        chosen = replace(settings(), learn_norms=learn)
        module = FinetuneModule(network, chosen, StreamedNothing(), torch.ones(2), 0, lambda x: x)
        module.train()
        module.network(torch.randn(8, 4) + 5)
        assert isinstance(network[0], torch.nn.BatchNorm1d)
        return network[0]

    assert norm_after_a_step(True).running_mean.abs().sum() > 0  # type: ignore[union-attr]
    assert norm_after_a_step(False).running_mean.abs().sum() == 0  # type: ignore[union-attr]
