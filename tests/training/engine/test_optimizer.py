"""The schedule of the learning rate."""

import pytest
import torch

from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.optimizer import create_optimizer, rate_factor
from phytoflow.training.settings import TrainingSettings


def test_the_rate_rises_and_then_falls_to_zero() -> None:
    factors = [rate_factor("cosine", 100)(step) for step in range(101)]
    peak = factors.index(max(factors))
    assert factors[0] < 0.1 and 15 <= peak <= 25 and factors[100] == pytest.approx(0, abs=1e-9)
    assert factors[:peak] == sorted(factors[:peak]) and factors[peak:] == sorted(factors[peak:], reverse=True)
    assert rate_factor("constant", 100)(90) == 1.0


def test_only_weights_that_learn_are_optimized() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)).requires_grad_(False)
    network[1].requires_grad_(True)
    training = TrainingSettings(schedule="plateau", weight_decay=0.25)
    settings = FitSettings(training, learning_rate=0.5, epochs=1, learn_norms=False, patience=0)
    made = create_optimizer(network, settings, 0, "train/loss")
    (group,) = made["optimizer"].param_groups
    assert group["params"] == list(network[1].parameters())
    assert (group["lr"], group["weight_decay"]) == (0.5, 0.25)
    assert made["lr_scheduler"]["monitor"] == "train/loss"
