"""Heads on pooled features."""

import torch

from phytoflow.models.factory import create_model
from phytoflow.models.heads import create_head
from phytoflow.models.settings import ModelSettings


def test_the_dense_head_is_batch_norm_dense_256_and_dropout() -> None:
    head = create_model(ModelSettings(backbone="attention_cnn", head="mlp", dropout=0.3), 5).head
    assert [type(layer).__name__ for layer in head] == ["BatchNorm1d", "Linear", "ReLU", "Dropout", "Linear"]
    assert head[1].out_features == 256 and head[3].p == 0.3 and head[4].out_features == 5


def test_a_linear_head_maps_features_to_classes() -> None:
    assert create_head(ModelSettings(), 12, 5)(torch.zeros(2, 12)).shape == (2, 5)
