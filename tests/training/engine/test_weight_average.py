"""The average remembers more as steps go by."""

import pytest
import torch

from phytoflow.training.engine.weight_average import update_average


def test_the_average_remembers_more_as_steps_go_by() -> None:
    def average_after(decay: float, steps: int) -> list[float]:
        average = [torch.zeros(1), torch.full((1,), 2.0)]
        update_average(decay)(average, [torch.ones(1), torch.ones(1)], torch.tensor(steps))
        return [weight.item() for weight in average]

    assert average_after(0.9, 1) == pytest.approx([1 - 2 / 11, 1 + 2 / 11])
    assert average_after(0.9, 1000) == pytest.approx([0.1, 1.9])
    assert average_after(0.0, 50) == [1, 1]
