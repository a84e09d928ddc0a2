"""The two stages on given photos: a head on frozen features, then the tail with it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from phytoflow.models.heads import create_head
from phytoflow.training.context import Run
from phytoflow.training.engine.batches import Batches, CachedBatches, StreamedBatches
from phytoflow.training.engine.class_balance import class_weights, draw_probabilities
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.lightning_module import FitSettings, Tuner
from phytoflow.training.features.cache import Views
from phytoflow.training.strategies.linear_probe import Probe, fit_probes

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Which photos are fitted on, and which judge.

    Attributes:
        views: The photos fitted on, and perhaps more.
        rows: Those of them that are fitted on.
        judged: Photos that decide when to stop and which epoch is best; None: the last epoch is kept.
    """

    views: Views
    rows: Rows
    judged: Views | None


def probes(run: Run, views: Views, rows: Rows, strengths: tuple[float, ...]) -> list[Probe]:
    """Linear probes on some photos, all their views, one for each strength."""
    weights = class_weights(views.labels[rows], run.classes, run.training.class_balancing)
    features = [view[rows] for view in views.pooled]
    return fit_probes(features, views.labels[rows], weights, strengths)


def probe_network(run: Run, probe: Probe) -> nn.Sequential:
    """The frozen tail with a probe as its head: what the second stage starts from."""
    head = nn.Linear(probe.weight.shape[1], probe.weight.shape[0])
    head.load_state_dict({"weight": probe.weight, "bias": probe.bias})
    return nn.Sequential(copy.deepcopy(run.classifier.tail).cpu(), head).eval()


def mlp_network(run: Run, split: Split, name: str) -> nn.Sequential:
    """The frozen tail with a dense head trained on its features."""
    head = create_head(run.model, run.classifier.feature_count, run.classes)
    judged = None if split.judged is None else (split.judged.pooled[0], split.judged.labels)
    batches = kept_batches(run, split, split.views.pooled, judged)
    settings = replace(
        run.tail_settings(len(split.rows), patience=run.training.early_stopping_patience if judged else 0),
        rate=run.training.head_learning_rate,
        epochs=run.training.head_epochs,
        learn_norms=True,
        mixup=0.0,
        cutmix=0.0,
    )
    return nn.Sequential(
        copy.deepcopy(run.classifier.tail).cpu(), _fit(run, head, batches, split, settings, name)
    )


def tuned_network(run: Run, start: nn.Sequential, split: Split, name: str) -> nn.Sequential:
    """The second stage: tail and head from where the first left them.

    Batches come from kept activations, or, where the budget does not allow them, from photos through the
    live trunk.
    """
    judged = None if split.judged is None else (split.judged.activations[0], split.judged.labels)
    kept = kept_batches(run, split, split.views.activations, judged)
    batches = kept if split.views.activations else photo_batches(run, kept)
    settings = run.tail_settings(
        len(split.rows), patience=run.training.early_stopping_patience if judged else 0
    )
    fresh = copy.deepcopy(start)
    if not run.training.train_depthwise:
        freeze_spatial(fresh)
    network = _fit(run, fresh, batches, split, settings, name)
    assert isinstance(network, nn.Sequential)
    return network


def freeze_spatial(network: nn.Module) -> None:
    """Keeps depthwise filters as pretrained: few weights, but a third of the time of a step on CPUs."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1:
            layer.weight.requires_grad_(False)


def kept_batches(run: Run, split: Split, views: list[NDArray[Any]], judged: Any) -> CachedBatches:
    """Batches of arrays already computed."""
    labels = split.views.labels
    drawn = draw_probabilities(labels[split.rows], run.classes, run.training.class_balancing)
    return CachedBatches(views, labels, split.rows, judged, run.training.batch_size, run.seed, drawn)


def photo_batches(run: Run, judged: CachedBatches | None) -> StreamedBatches:
    """Batches of photos of the training split."""
    return StreamedBatches(
        run.dataset,
        run.preprocessing,
        run.training.augmentation,
        run.training.batch_size,
        run.seed,
        run.workers,
        judged,
    )


def loss_weights(run: Run, labels: NDArray[np.int64], *, live: bool) -> Tensor:
    """Class weights; photos streamed from shards cannot be drawn by weight, so there the loss has them."""
    imbalance = "loss" if live and run.training.class_balancing == "sampler" else run.training.class_balancing
    return class_weights(labels, run.classes, imbalance)


def _fit(
    run: Run, network: nn.Module, batches: Batches, split: Split, settings: FitSettings, name: str
) -> nn.Module:
    live = isinstance(batches, StreamedBatches)
    weights = loss_weights(run, split.views.labels[split.rows], live=live)
    tuner = Tuner(network, settings, batches, weights, run.seed, run.prepare)
    fitted, history = fit(tuner, name, run.store, run.device, run.tracker)
    run.history += history
    return fitted
