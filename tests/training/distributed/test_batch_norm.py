"""Batch norms of several processes learn what one would of the whole batch."""

from __future__ import annotations

import pytest
import torch
from timm.layers import BatchNormAct2d  # type: ignore[attr-defined]
from torch import Tensor, nn

from phytoflow.errors import ConfigError
from phytoflow.training.distributed.batch_norm import synchronise_batch_norms
from phytoflow.training.distributed.group import join_group
from phytoflow.training.settings import TrainingSettings
from tests.support.services.training_group import run_group

INPUTS = torch.randn(7, 3, 4, 4, generator=torch.Generator().manual_seed(0)) + torch.tensor(50.0)
SHARES = ((slice(0, 5), True), (slice(5, 7), True), (slice(0, 1), False))


def network() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(BatchNormAct2d(3), nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2)).train()


def learn(chosen: nn.Module, inputs: Tensor, counted: bool = True) -> dict[str, Tensor]:
    """State and gradients after a step's forward and backward pass."""
    outputs = chosen(inputs)
    loss = (outputs**3).sum() if counted else outputs.sum() * 0.0
    loss.backward()
    gradients = {f"{name}.grad": value.grad for name, value in chosen.named_parameters()}
    return chosen.state_dict() | gradients  # type: ignore[operator]


def learn_share() -> dict[str, Tensor]:
    group = join_group(TrainingSettings(device="cpu"))
    rows, counted = SHARES[group.rank]
    chosen = network()
    synchronise_batch_norms(chosen, lambda: counted)
    return learn(chosen, INPUTS[rows], counted)


def test_statistics_and_gradients_are_those_of_the_whole_batch() -> None:
    whole, shares = learn(network(), INPUTS), run_group(learn_share, 3)
    for name, value in whole.items():
        if name.endswith(".grad"):
            total = sum(share[name] for share in shares)
            torch.testing.assert_close(total, value, rtol=1e-3, atol=1e-3)
        else:
            for share in shares:
                torch.testing.assert_close(share[name], value, rtol=1e-5, atol=1e-6)


def test_evaluation_is_as_before_and_unknown_kinds_are_refused() -> None:
    chosen, plain = network().eval(), network().eval()
    synchronise_batch_norms(chosen, lambda: True)
    assert torch.equal(chosen(INPUTS), plain(INPUTS))
    with pytest.raises(ConfigError, match="batch norm 0"):
        synchronise_batch_norms(nn.Sequential(nn.BatchNorm2d(3, affine=False)), lambda: True)
