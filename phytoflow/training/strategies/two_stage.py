"""Two stages: a head on frozen features, then fine-tuning, which is used only if held-out photos favour it.

A small set is cross-validated: each photo of the evaluated folds is held out once, and the final model is
fitted on all photos. A large set is evaluated on its validation photos.
"""

from __future__ import annotations

import logging

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from phytoflow.training.context import TrainingContext
from phytoflow.training.features.cache import CachedFeatures
from phytoflow.training.strategies.outcome import Outcome
from phytoflow.training.strategies.penalty import penalty_by_folds, penalty_by_validation
from phytoflow.training.strategies.selection import (
    ALPHAS,
    HeldOutLogits,
    evaluate_candidates,
    grouped_folds,
    interpolate_weights,
    predict_logits,
    select_candidate,
)
from phytoflow.training.strategies.stages import (
    FitSplit,
    Rows,
    finetune,
    fit_linear_probes,
    fit_mlp_head,
    probe_network,
)
from phytoflow.training.summary import InterpolationCandidate

_LOG = logging.getLogger(__name__)
_AND_OUTDOOR = ", each as it is and under the outdoor preset"
_Stages = tuple[nn.Sequential, nn.Sequential]
"""The networks of the first and the second stage; twice the same without a second stage."""


def train_two_stages(context: TrainingContext) -> Outcome:
    """Trains both stages and selects between them."""
    return _cross_validate(context) if context.cross_validated else _hold_out(context)


def _cross_validate(context: TrainingContext) -> Outcome:
    with context.timed("features"):
        features = _load(context, "train", context.views).concatenate(
            _load(context, "validation", context.views)
        )
    groups = context.groups("train", "validation")
    folds = grouped_folds(features.labels, groups, context.training.folds, context.seed)
    with context.timed("head"):
        penalty = context.group.on_first(lambda: penalty_by_folds(context, features, folds))
    folds = folds[: context.training.evaluated_folds]
    with context.timed("cross_validation"):
        by_view = _evaluate_folds(context, features, folds, groups, penalty)
    held_out = [HeldOutLogits.concatenate(folds_of_view) for folds_of_view in by_view]
    candidates = evaluate_candidates(HeldOutLogits.concatenate(held_out))
    chosen = select_candidate(candidates, context.training.min_improvement_se)
    with context.timed("final"):
        everything = FitSplit(features, np.arange(len(features)), None)
        stages = _train_stages(context, everything, penalty, "final fit", second=chosen.alpha > 0)
    photos = sum(len(rows) for _, rows in folds)
    words = f"{len(folds)}-fold cross-validation, {photos} of {len(features)} training and validation photos"
    return _outcome(stages, candidates, chosen, held_out, words, penalty, ("train", "validation"))


def _evaluate_folds(
    context: TrainingContext,
    features: CachedFeatures,
    folds: list[tuple[Rows, Rows]],
    groups: NDArray[np.int64],
    penalty: float,
) -> list[tuple[HeldOutLogits, ...]]:
    """For each evaluated view the logits of each fold."""
    by_fold = []
    for number, (rows, held_out) in enumerate(folds, start=1):
        name = f"fold {number} of {len(folds)}"
        stages = _train_stages(context, FitSplit(features, rows, None), penalty, name)
        by_fold.append(_held_out_logits(context, stages, features, held_out, groups))
    return list(zip(*by_fold, strict=True))


def _hold_out(context: TrainingContext) -> Outcome:
    needed = context.features.bytes_per_photo() * context.views * context.dataset.count("train")
    cached = needed <= context.training.activation_cache_bytes
    with context.timed("features"):
        features = _load(context, "train", context.views, activations=cached)
        validation = _load(context, "validation", context.evaluated_views)
    split = FitSplit(features, np.arange(len(features)), validation)
    with context.timed("head"):
        penalty = context.group.on_first(lambda: penalty_by_validation(context, split))
    with context.timed("finetune"):
        stages = _train_stages(context, split, penalty, "final fit")
    rows = np.arange(len(validation))
    held_out = _held_out_logits(context, stages, validation, rows, context.groups("validation"))
    candidates = evaluate_candidates(HeldOutLogits.concatenate(held_out))
    chosen = select_candidate(candidates, context.training.min_improvement_se)
    words = f"{len(validation)} validation photos"
    return _outcome(stages, candidates, chosen, held_out, words, penalty, ("train",))


def _train_stages(
    context: TrainingContext, split: FitSplit, penalty: float, name: str, *, second: bool = True
) -> _Stages:
    first = context.group.on_first(lambda: _fit_head(context, split, penalty, f"{name} head"))
    if not second or len(_alphas(context)) == 1:
        return first, first
    return first, finetune(context, first, split, name)


def _fit_head(context: TrainingContext, split: FitSplit, penalty: float, name: str) -> nn.Sequential:
    if context.model.head == "mlp":
        return fit_mlp_head(context, split, name)
    return probe_network(context, fit_linear_probes(context, split.features, split.rows, (penalty,))[0])


def _held_out_logits(
    context: TrainingContext,
    stages: _Stages,
    features: CachedFeatures,
    rows: Rows,
    groups: NDArray[np.int64],
) -> list[HeldOutLogits]:
    """Logits of all candidates between the two stages for some photos, for each evaluated view."""
    networks = [interpolate_weights(*stages, alpha) for alpha in _alphas(context)]
    labels = torch.from_numpy(features.labels[rows])
    views = features.activations[: context.evaluated_views]
    logits = context.group.on_first(
        lambda: [[predict_logits(network, view[rows]) for network in networks] for view in views]
    )
    return [HeldOutLogits(of_view, labels, groups[rows]) for of_view in logits]


def _alphas(context: TrainingContext) -> tuple[float, ...]:
    return ALPHAS if context.training.tuned_blocks else ALPHAS[:1]


def _load(context: TrainingContext, split: str, count: int, *, activations: bool = True) -> CachedFeatures:
    return context.features.load(split, context.training.augmentation, count, activations=activations)


def _outcome(
    stages: _Stages,
    candidates: list[InterpolationCandidate],
    chosen: InterpolationCandidate,
    held_out: list[HeldOutLogits],
    selected_on: str,
    penalty: float,
    trained_on: tuple[str, ...],
) -> Outcome:
    """The outcome; the calibration uses the photos as they are, the first view."""
    for candidate in candidates:
        mark = " (chosen)" if candidate is chosen else ""
        values = f"loss {candidate.loss:.4f}, macro-F1 {candidate.macro_f1:.4f}"
        _LOG.info("%.0f%% of the way to the fine-tuned weights: %s%s", candidate.alpha * 100, values, mark)
    network = interpolate_weights(*stages, chosen.alpha)
    logits = held_out[0].logits[candidates.index(chosen)]
    words = selected_on + _AND_OUTDOOR * (len(held_out) - 1)
    return Outcome(network, chosen, candidates, words, logits, held_out[0].labels, penalty, trained_on)
