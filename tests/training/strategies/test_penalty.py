"""The probe's L2 penalty is the one with the lowest loss on held-out photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from phytoflow.training.context import TrainingContext
from phytoflow.training.features.cache import CachedFeatures
from phytoflow.training.strategies.linear_probe import PENALTIES
from phytoflow.training.strategies.penalty import penalty_by_folds, penalty_by_validation
from phytoflow.training.strategies.stages import FitSplit, fit_linear_probes


def noisy_features(noise: float, seed: int = 0) -> CachedFeatures:
    """Forty photos of two classes; the noisier, the stronger a penalty they need."""
    random = np.random.default_rng(seed)
    labels = np.arange(40) % 2
    pooled = random.normal(size=(40, 30)).astype(np.float32) * noise
    pooled[:, 0] += labels
    return CachedFeatures([], [pooled], labels)


def folds() -> list[tuple[np.ndarray, np.ndarray]]:
    rows = np.arange(40)
    return [(rows[rows % 4 < 2], rows[rows % 4 >= 2]), (rows[rows % 4 >= 2], rows[rows % 4 < 2])]


def test_noise_asks_for_a_stronger_penalty(context: TrainingContext) -> None:
    clean, noisy = (penalty_by_folds(context, noisy_features(noise), folds()) for noise in (0.01, 1.0))
    assert clean == PENALTIES[0] < noisy


def test_the_losses_of_all_folds_count(context: TrainingContext) -> None:
    features = noisy_features(0.6)
    sums = np.zeros(len(PENALTIES))
    for fitted, held_out in folds():
        probes = fit_linear_probes(context, features, fitted, PENALTIES)
        labels = torch.from_numpy(features.labels[held_out])
        sums += [float(cross_entropy(probe.logits(features.pooled[0][held_out]), labels)) for probe in probes]
    assert penalty_by_folds(context, features, folds()) == PENALTIES[int(sums.argmin())]


def test_validation_photos_decide_for_a_large_set(context: TrainingContext) -> None:
    for noise in (0.01, 1.0):
        split = FitSplit(noisy_features(noise), np.arange(40), noisy_features(noise, seed=1))
        assert (penalty_by_validation(context, split) > PENALTIES[0]) == (noise == 1.0)


def test_a_dense_head_has_no_probe(context: TrainingContext) -> None:
    dense = replace(context, model=context.model.model_copy(update={"head": "mlp"}))
    features = noisy_features(1.0)
    assert penalty_by_folds(dense, features, folds()) == 0
    assert penalty_by_validation(dense, FitSplit(features, np.arange(40), features)) == 0
