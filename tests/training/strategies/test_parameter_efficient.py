"""What each strategy trains, and that a merged network is the one that was trained."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings
from phytoflow.training.context import TrainingContext
from phytoflow.training.settings import Strategy, TrainingSettings
from phytoflow.training.strategies.parameter_efficient import (
    count_trained,
    freeze_depthwise,
    merge,
    restrict_training,
)
from phytoflow.training.strategies.stages import FitSplit, finetune
from tests.training.strategies.test_stages import changed, features_of, first_stage, moved

LOW_RANK = ["lora", "adapter"]
BACKBONES = ["vit_tiny_patch16_224", "tf_efficientnet_lite0", "resnet18"]
PHOTOS = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def network_of(backbone: str, strategy: str, rank: int = 4) -> tuple[nn.Sequential, Tensor]:
    """Tail and head under a strategy, and an input for them."""
    torch.manual_seed(0)
    model = create_model(ModelSettings(backbone=backbone, weights="none", image_size=64), 3, 3)  # type: ignore[arg-type]
    with torch.inference_mode():
        inputs = model.trunk(PHOTOS)
    network = nn.Sequential(model.tail, model.head)
    restrict_training(network, TrainingSettings(strategy=strategy, rank=rank))  # type: ignore[arg-type]
    return network, inputs.clone()


def learn(network: nn.Module, inputs: Tensor, steps: int = 3) -> None:
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.SGD(weights, 0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), torch.tensor([0, 1])).backward()
        optimizer.step()


@pytest.mark.parametrize(
    ("backbone", "strategy"),
    [(BACKBONES[0], "lora"), (BACKBONES[0], "adapter"), (BACKBONES[1], "adapter"), (BACKBONES[2], "lora")],
)
def test_a_merged_network_answers_as_the_trained_one_under_the_names_of_before(
    backbone: str, strategy: str
) -> None:
    plain, inputs = network_of(backbone, "partial")
    network, _ = network_of(backbone, strategy)
    start = plain(inputs)
    assert torch.allclose(network(inputs), start, atol=1e-5)  # nothing is changed before the first step
    learn(network, inputs)
    trained = network(inputs)
    assert not torch.allclose(trained, start, atol=1e-3)
    merge(network)
    assert torch.allclose(network(inputs), trained, atol=1e-4)
    shapes = [{name: value.shape for name, value in each.state_dict().items()} for each in (plain, network)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("strategy", LOW_RANK)
def test_only_low_rank_matrices_and_the_head_are_trained(strategy: str) -> None:
    network, inputs = network_of("tf_efficientnet_lite0", strategy)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    learn(network, inputs)
    changed_names = {name for name, value in network.state_dict().items() if not value.equal(before[name])}
    changed_names = {name for name in changed_names if "running" not in name and "tracked" not in name}
    assert {name.rpartition(".")[2] for name in changed_names if name.startswith("0.")} <= {"down", "up"}
    assert {"1.weight", "1.bias"} <= changed_names
    weights = [name for name in before if name.endswith("up")]
    dense = [layer for layer in network[0].modules() if isinstance(layer, nn.Conv2d) and layer.groups == 1]
    assert len(weights) == len(dense) > 0


@pytest.mark.parametrize("strategy", LOW_RANK)
def test_the_change_of_a_weight_has_the_rank_of_the_settings(strategy: str) -> None:
    network, inputs = network_of("vit_tiny_patch16_224", strategy, rank=2)
    layer = next(layer for layer in network[0].modules() if isinstance(layer, nn.Linear))
    before = layer.weight.detach().clone()
    learn(network, inputs)
    change = (layer.weight - before).detach()
    assert int(torch.linalg.matrix_rank(change, rtol=1e-3)) == 2


def test_an_adapter_before_a_layer_is_a_factor_of_its_weight() -> None:
    """RepAdapter's figure: the layer applied to x + U D x."""
    network, _ = network_of("vit_tiny_patch16_224", "adapter")
    layer = next(layer for layer in network[0].modules() if isinstance(layer, nn.Linear))
    adapter = layer.parametrizations["weight"][0]  # type: ignore[index]
    nn.init.normal_(adapter.up, std=0.1)
    x = torch.rand(5, layer.in_features)
    bottleneck = torch.block_diag(*adapter.up) @ (adapter.down @ x.T)
    weight = layer.parametrizations["weight"].original  # type: ignore[index]
    assert torch.allclose(layer(x), nn.functional.linear(x + bottleneck.T, weight, layer.bias), atol=1e-5)
    assert adapter.up.numel() * 2 == layer.in_features * 4


def test_bitfit_trains_biases_and_the_norms_of_convolutional_networks() -> None:
    network, _ = network_of("vit_tiny_patch16_224", "bitfit")
    names = {name for name, weight in network[0].named_parameters() if weight.requires_grad}
    assert names == {name for name, _ in network[0].named_parameters() if name.endswith("bias")} != set()
    network, _ = network_of("resnet18", "bitfit")
    trained = [
        layer for layer in network[0].modules() if any(p.requires_grad for p in layer.parameters(False))
    ]
    assert trained and all(isinstance(layer, nn.BatchNorm2d) for layer in trained)
    assert all(layer.weight.requires_grad and layer.bias.requires_grad for layer in trained)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_efficient_strategies_train_a_fraction_of_the_parameters(backbone: str) -> None:
    trained = {each: count_trained(network_of(backbone, each)[0]) for each in ("partial", "lora", "bitfit")}
    assert trained["bitfit"] < trained["lora"] < trained["partial"] / 5


def test_only_depthwise_filters_are_frozen() -> None:
    depthwise, grouped = nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 8, 3, groups=2)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), depthwise, grouped, nn.Conv2d(8, 1, 1), nn.Conv2d(1, 1, 3))
    freeze_depthwise(network)
    frozen = [layer for layer in network if not layer.weight.requires_grad]
    assert frozen == [depthwise]


@pytest.mark.parametrize("strategy", ["lora", "bitfit"])
def test_finetuning_by_a_strategy_changes_the_network_and_checkpoints_hold_only_what_was_trained(
    context: TrainingContext, strategy: str
) -> None:
    context, features = changed(context, strategy=strategy), features_of(context)
    start = first_stage(context)
    network = finetune(context, start, FitSplit(features, np.arange(len(features)), None), "fit")
    assert network.state_dict().keys() == start.state_dict().keys()
    assert any(name.startswith("0.") for name in moved(network, start))
    last = context.store.get("fit.last")
    assert last is not None
    state = torch.load(last, weights_only=True)["state_dict"]
    tail = {name.rpartition(".")[2] for name in state if name.startswith("network.0.")}
    assert tail == ({"up", "down"} if strategy == "lora" else {"weight", "bias"})
    best = context.store.get("fit.best")
    assert best is not None
    whole = sum(weight.numel() for weight in start.parameters()) * 4
    assert best.stat().st_size < whole / 5
    again = finetune(context, start, FitSplit(features, np.arange(len(features)), None), "fit")  # only loaded
    assert not moved(network, again)


def test_every_strategy_of_the_settings_is_known() -> None:
    assert set(get_args(Strategy)) == {"partial", "linear", "full", "lora", "adapter", "bitfit"}
    tuned = {each: TrainingSettings(strategy=each).tuned_blocks for each in get_args(Strategy)}
    assert [each for each, blocks in tuned.items() if not blocks] == ["linear"]
