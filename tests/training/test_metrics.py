"""Metrics by which models are compared."""

import pytest
import torch

from phytoflow.training.metrics import log_losses, macro_f1, temperature


def test_temperature_undoes_overconfidence() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4000, 3, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)


def test_macro_f1_counts_classes_alike() -> None:
    logits = torch.eye(2)[[0, 0, 0, 0]]
    assert macro_f1(logits, torch.tensor([0, 0, 0, 1])) == pytest.approx((6 / 7 + 0) / 2)


def test_a_single_correct_photo_proves_little() -> None:
    """Its target is 2/3: the first of unlimited confidence would be infinitely likely without that."""
    certain = torch.tensor([[20.0, 0.0]])
    assert temperature(certain, torch.tensor([0])) == pytest.approx(4)  # the hottest that is tried
    assert temperature(certain.repeat(10_000, 1), torch.zeros(10_000, dtype=torch.int64)) < 4


def test_losses_do_not_depend_on_the_scale_of_the_logits() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2000, 3, generator=generator)
    labels = torch.multinomial(logits.softmax(1), 1, generator=generator)[:, 0]
    assert torch.allclose(log_losses(logits, labels).mean(), log_losses(logits / 2, labels).mean(), atol=1e-3)
