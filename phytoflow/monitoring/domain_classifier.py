"""A classifier that tells served photos from reference photos: those it is surest of show a person why."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.metrics import auroc

_FOLDS = 4
_PENALTY = 1.0  # of squared weights, on standardised inputs
_STEPS = 25
_CONVERGED = 1e-6


def served_probability(reference: NDArray[np.float32], served: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probability that each photo was served rather than in the reference, judged by others.

    Logistic regression with an L2 penalty, both sides weighted alike; each photo is judged by a fit on the
    other folds.

    Args:
        reference: float32 [N, K], components.
        served: float32 [M, K].

    Returns:
        float64 [N + M], reference photos first.
    """
    rows = np.concatenate([reference, served]).astype(np.float64)
    target = np.r_[np.zeros(len(reference)), np.ones(len(served))]
    balance = np.where(target == 1, len(rows) / 2 / len(served), len(rows) / 2 / len(reference))
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    rows = np.column_stack([rows, np.ones(len(rows))])
    folds = np.r_[np.arange(len(reference)), np.arange(len(served))] % _FOLDS
    probability = np.empty(len(rows))
    for fold in range(_FOLDS):
        inside = folds != fold
        weights = _fit(rows[inside], target[inside], balance[inside])
        probability[~inside] = _logistic(rows[~inside] @ weights)
    return probability


def separability(probability: NDArray[np.float64], reference: int) -> float:
    """Area under the curve of the probabilities: 0.5 if nothing tells the two apart, 1 if everything does."""
    return auroc(probability[:reference], probability[reference:])


def _fit(
    rows: NDArray[np.float64], target: NDArray[np.float64], balance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Newton's method; the last column is the constant, which is not penalised."""
    penalty = np.full(rows.shape[1], _PENALTY)
    penalty[-1] = 1e-9
    weights = np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        chance = _logistic(rows @ weights)
        gradient = rows.T @ (balance * (chance - target)) + penalty * weights
        curvature = (rows * (balance * chance * (1 - chance))[:, None]).T @ rows + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < _CONVERGED:
            break
    return weights


def _logistic(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))
