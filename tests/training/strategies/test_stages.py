"""Head and fine-tuning on given photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from phytoflow.training.context import TrainingContext
from phytoflow.training.features.cache import CachedFeatures
from phytoflow.training.strategies.stages import (
    FitSplit,
    finetune,
    fit_linear_probes,
    fit_mlp_head,
    loss_weights,
    probe_network,
)


def changed(context: TrainingContext, **changes: object) -> TrainingContext:
    """The context under other settings of the training, with the same features."""
    other = replace(context, training=context.training.model_copy(update=changes))
    other.__dict__["features"] = context.features
    return other


def features_of(context: TrainingContext, split: str = "train") -> CachedFeatures:
    return context.features.load(split, "light", 2)


def first_stage(context: TrainingContext) -> nn.Sequential:
    features = features_of(context)
    probe = fit_linear_probes(context, features, np.arange(len(features)), (0.06,))[0]
    return probe_network(context, probe)


def moved(one: nn.Module, other: nn.Module) -> set[str]:
    states = one.state_dict(), other.state_dict()
    return {name for name, value in states[0].items() if not torch.equal(value, states[1][name])}


def moved_layers(network: nn.Module, start: nn.Module) -> list[nn.Module]:
    layers, suffix = dict(network.named_modules()), ".weight"
    return [layers[name.removesuffix(suffix)] for name in moved(network, start) if name.endswith(suffix)]


def is_depthwise(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups > 1


def test_the_probe_becomes_the_head_of_the_frozen_tail(context: TrainingContext) -> None:
    features = features_of(context)
    probe = fit_linear_probes(context, features, np.arange(len(features)), (0.06,))[0]
    network = probe_network(context, probe)
    with torch.inference_mode():
        logits = network(torch.from_numpy(np.asarray(features.activations[1], np.float32)))
    assert torch.allclose(logits, probe.logits(features.pooled[1]), atol=1e-3)
    assert not moved(network[0], context.classifier.tail)


def test_probes_are_fitted_on_the_given_rows_only(context: TrainingContext) -> None:
    features, rows = features_of(context), np.arange(6)
    few = replace(features, pooled=[view[:6].copy() for view in features.pooled], labels=features.labels[:6])
    (probe,) = fit_linear_probes(context, features, rows, (0.06,))
    (same,) = fit_linear_probes(context, few, rows, (0.06,))
    (other,) = fit_linear_probes(context, features, np.arange(12), (0.06,))
    assert torch.equal(probe.weight, same.weight) and not torch.equal(probe.weight, other.weight)


def test_finetuning_moves_tail_and_head_but_neither_norms_nor_depthwise_filters(
    context: TrainingContext,
) -> None:
    start, features = first_stage(context), features_of(context)
    before = {name: value.clone() for name, value in start.state_dict().items()}
    network = finetune(context, start, FitSplit(features, np.arange(len(features)), None), "fit")
    assert all(torch.equal(value, before[name]) for name, value in start.state_dict().items())
    names = moved(network, start)
    assert {"1.weight", "1.bias"} < names and any(name.startswith("0.") for name in names)
    assert not any("running" in name for name in names)
    assert not any(
        isinstance(layer, nn.Conv2d) and layer.groups > 1 for layer in moved_layers(network, start)
    )
    assert [epoch["fit"] for epoch in context.history] == ["fit"]


def test_depthwise_filters_are_finetuned_if_the_settings_say_so(context: TrainingContext) -> None:
    context, features = changed(context, train_depthwise=True), features_of(context)
    start = first_stage(context)
    network = finetune(context, start, FitSplit(features, np.arange(len(features)), None), "fit")
    assert any(is_depthwise(layer) for layer in moved_layers(network, start))


def test_without_cached_activations_photos_pass_the_live_trunk(context: TrainingContext) -> None:
    pooled = context.features.load("train", "light", 2, activations=False)
    assert pooled.activations == []
    split = FitSplit(pooled, np.arange(len(pooled)), context.features.load("validation", "light", 1))
    network = finetune(context, first_stage(context), split, "fit")
    assert "1.weight" in moved(network, first_stage(context))
    assert {"train/loss", "validation/loss"} <= context.history[0].keys()


def test_a_dense_head_is_fitted_on_pooled_features(context: TrainingContext) -> None:
    model = context.model.model_copy(update={"head": "mlp"})
    context = changed(replace(context, model=model), head_epochs=2, mixup=1.0)
    features = features_of(context)
    split = FitSplit(features, np.arange(len(features)), features_of(context, "validation"))
    network = fit_mlp_head(context, split, "fit head")
    assert not moved(network[0], context.classifier.tail)
    head = network[1]
    assert isinstance(head[0], nn.BatchNorm1d) and int(head[0].num_batches_tracked) > 0
    assert [epoch["epoch"] for epoch in context.history] == [1, 2]


@pytest.mark.parametrize(
    ("balancing", "streamed", "balanced"),
    [("loss", False, True), ("loss", True, True), ("sampler", False, False), ("sampler", True, True)],
)
def test_streamed_photos_are_balanced_in_the_loss(
    context: TrainingContext, balancing: str, streamed: bool, balanced: bool
) -> None:
    weights = loss_weights(
        changed(context, class_balancing=balancing), np.array([0, 0, 0, 1]), streamed=streamed
    )
    assert weights.tolist() == pytest.approx([2 / 3, 2] if balanced else [1, 1])
