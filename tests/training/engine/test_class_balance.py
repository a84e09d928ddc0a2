"""Weights and probabilities for unequal classes."""

import numpy as np
import pytest
import torch

from phytoflow.training.engine.class_balance import class_weights, draw_probabilities

LABELS = np.array([0, 0, 0, 2])


def test_each_class_has_the_same_weight_in_the_loss() -> None:
    weights = class_weights(LABELS, 3, "loss")
    assert weights.tolist() == pytest.approx([4 / 9, 0, 4 / 3])  # the absent class gets none
    assert weights[0] * 3 == pytest.approx(weights[2] * 1)
    assert torch.equal(class_weights(LABELS, 3, "sampler"), torch.ones(3))
    assert torch.equal(class_weights(LABELS, 3, "none"), torch.ones(3))


def test_each_class_is_drawn_as_often() -> None:
    probabilities = draw_probabilities(LABELS, 3, "sampler")
    assert probabilities is not None
    assert probabilities.tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    assert draw_probabilities(LABELS, 3, "loss") is None
