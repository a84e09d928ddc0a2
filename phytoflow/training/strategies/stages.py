"""The two stages on given photos: a head on frozen features, then fine-tuning of tail and head."""

from __future__ import annotations

import copy
import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phytoflow.models.heads import create_head
from phytoflow.training.context import TrainingContext
from phytoflow.training.distributed.group import SOLO, Group
from phytoflow.training.distributed.shares import WHOLE
from phytoflow.training.engine.batches import Batches, CachedBatches, StreamedBatches
from phytoflow.training.engine.class_balance import class_weights, draw_probabilities
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.lightning_module import FinetuneModule
from phytoflow.training.features.cache import CachedFeatures
from phytoflow.training.strategies.linear_probe import LinearProbe, fit_probes
from phytoflow.training.strategies.parameter_efficient import count_trained, merge, restrict_training

_LOG = logging.getLogger(__name__)
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class FitSplit:
    """Photos to fit on and photos to validate on.

    Attributes:
        features: Cached features of the photos to fit on, and perhaps of more.
        rows: Which of them are fitted on.
        held_out: Photos that decide when to stop and which epoch is best; None: the last epoch is kept.
    """

    features: CachedFeatures
    rows: Rows
    held_out: CachedFeatures | None


def fit_linear_probes(
    context: TrainingContext, features: CachedFeatures, rows: Rows, penalties: tuple[float, ...]
) -> list[LinearProbe]:
    """Fits linear probes on all views of some photos, one for each L2 penalty."""
    weights = class_weights(features.labels[rows], context.classes, context.training.class_balancing)
    views = [view[rows] for view in features.pooled]
    return fit_probes(views, features.labels[rows], weights, penalties)


def probe_network(context: TrainingContext, probe: LinearProbe) -> nn.Sequential:
    """The frozen tail with a linear probe as its head: the start of the second stage."""
    head = nn.Linear(probe.weight.shape[1], probe.weight.shape[0])
    head.load_state_dict({"weight": probe.weight, "bias": probe.bias})
    return nn.Sequential(copy.deepcopy(context.classifier.tail).cpu(), head).eval()


def fit_mlp_head(context: TrainingContext, split: FitSplit, name: str) -> nn.Sequential:
    """The frozen tail with a dense head fitted on its features, by this process alone."""
    head = create_head(context.model, context.classifier.feature_count, context.classes)
    held_out = None if split.held_out is None else (split.held_out.pooled[0], split.held_out.labels)
    batches = replace(cached_batches(context, split, split.features.pooled, held_out), share=WHOLE)
    settings = replace(
        context.finetune_settings(len(split.rows), held_out=held_out is not None),
        learning_rate=context.training.head_learning_rate,
        epochs=context.training.head_epochs,
        learn_norms=True,
        mix=False,
    )
    fitted = _fit(context, head, batches, split, settings, name, SOLO)
    return nn.Sequential(copy.deepcopy(context.classifier.tail).cpu(), fitted)


def finetune(context: TrainingContext, start: nn.Sequential, split: FitSplit, name: str) -> nn.Sequential:
    """The second stage: fine-tunes tail and head from where the first stage left them, by the strategy.

    Batches come from cached activations or, if those exceed the disk budget, from photos through the live
    trunk.
    """
    held_out = None if split.held_out is None else (split.held_out.activations[0], split.held_out.labels)
    cached = cached_batches(context, split, split.features.activations, held_out)
    batches = cached if split.features.activations else streamed_batches(context, cached)
    settings = context.finetune_settings(len(split.rows), held_out=held_out is not None)
    network = copy.deepcopy(start)
    torch.manual_seed(context.seed)  # of the low-rank matrices: a resumed fit begins with the same ones
    restrict_training(network, context.training)
    _LOG.info("%s: %s trains %d parameters", name, context.training.strategy, count_trained(network))
    fitted = _fit(context, network, batches, split, settings, name, context.group)
    assert isinstance(fitted, nn.Sequential)
    merge(fitted)
    return fitted


def cached_batches(
    context: TrainingContext, split: FitSplit, views: list[NDArray[Any]], held_out: Any
) -> CachedBatches:
    """Batches of cached arrays, one for each view."""
    training, labels = context.training, split.features.labels
    probabilities = draw_probabilities(labels[split.rows], context.classes, training.class_balancing)
    return CachedBatches(
        views,
        labels,
        split.rows,
        held_out,
        training.batch_size,
        context.seed,
        probabilities,
        context.share,
        context.mixed,
    )


def streamed_batches(context: TrainingContext, held_out: CachedBatches | None) -> StreamedBatches:
    """Batches of the training photos."""
    return StreamedBatches(
        context.dataset,
        context.preprocessing,
        context.training.augmentation,
        context.training.batch_size,
        context.seed,
        context.workers,
        held_out,
        context.share,
        context.mixed,
    )


def loss_weights(context: TrainingContext, labels: NDArray[np.int64], *, streamed: bool) -> Tensor:
    """Class weights in the loss; streamed photos cannot be drawn by weight, so there the loss has them."""
    balancing = context.training.class_balancing
    return class_weights(
        labels, context.classes, "loss" if streamed and balancing == "sampler" else balancing
    )


def _fit(
    context: TrainingContext,
    network: nn.Module,
    batches: Batches,
    split: FitSplit,
    settings: FitSettings,
    name: str,
    group: Group,
) -> nn.Module:
    labels = split.features.labels[split.rows]
    weights = loss_weights(context, labels, streamed=isinstance(batches, StreamedBatches))
    module = FinetuneModule(network, settings, batches, weights, context.seed, context.prepare, group)
    fitted, history = fit(module, name, context.store, context.device, context.reporter)
    context.history += history
    return fitted
