"""What is served with the logits explains them."""

from __future__ import annotations

import pytest
import torch

from phytoflow.export.serving_module import ServingModule, dense_gradient
from phytoflow.models.factory import create_model
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings


@pytest.fixture(scope="module")
def dense() -> PhotoClassifier:
    """A network with the dense head, whose batch norm has statistics."""
    torch.manual_seed(0)
    settings = ModelSettings(backbone="attention_cnn", weights="none", image_size=64, head="mlp")
    model = create_model(settings, 3)
    norm = model.head[0]
    norm.running_mean.uniform_(-0.1, 0.1)
    norm.running_var.uniform_(0.01, 0.1)
    torch.nn.init.uniform_(norm.weight, 0.5, 2)
    return model.eval()


def test_the_dense_heads_gradient_is_that_of_autograd(dense: PhotoClassifier) -> None:
    pooled = torch.randn(4, dense.feature_count, requires_grad=True)
    gradients = dense_gradient(dense.head, pooled)
    for label in range(3):
        (expected,) = torch.autograd.grad(dense.head(pooled)[:, label].sum(), pooled)
        torch.testing.assert_close(gradients[:, label], expected)


def test_evidence_of_the_dense_head_is_grad_cam(dense: PhotoClassifier) -> None:
    photos = torch.randn(2, 3, 64, 64)
    served = ServingModule(dense, 1).eval()
    _, _, evidence = served(photos)
    maps = served.maps(served.tail(served.second(served.first(photos)))).detach().requires_grad_()
    for label in range(3):
        (gradient,) = torch.autograd.grad(dense.head(served.pool(maps))[:, label].sum(), maps)
        weights = gradient.sum((2, 3), keepdim=True)  # Grad-CAM's, up to the number of places
        torch.testing.assert_close(evidence[:, label], (weights * maps).sum(1), atol=1e-4, rtol=1e-4)
