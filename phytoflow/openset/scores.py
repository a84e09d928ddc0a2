"""Scores of strangeness: each takes logits and features of photos and gives one number a photo, higher is
stranger. They need numpy only: a predictor computes them for every photo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from phytoflow.openset.statistics import Array, Statistics, lengths

Method = Literal[
    "max_probability",
    "energy",
    "mahalanobis",
    "relative_mahalanobis",
    "nearest_neighbours",
    "mean_neighbours",
]
METHODS: tuple[Method, ...] = get_args(Method)
_NEIGHBOURS = 5


def score(method: Method, statistics: Statistics, logits: Array, features: Array) -> NDArray[np.float64]:
    """Strangeness of photos.

    Args:
        method: Which score.
        statistics: Of known photos.
        logits: float32 [N, C], as the model gives them.
        features: float32 [N, D].

    Returns:
        float64 [N], higher is stranger.
    """
    return np.asarray(_SCORES[method](statistics, logits, features), np.float64)


def _max_probability(_: Statistics, logits: Array, __: Array) -> NDArray[np.float64]:
    """One less the highest probability (Hendrycks & Gimpel 2017)."""
    return 1 - np.exp(logits.max(axis=1) - _log_sum_exp(logits))


def _energy(_: Statistics, logits: Array, __: Array) -> NDArray[np.float64]:
    """Free energy, at temperature one (Liu et al. 2020)."""
    return -_log_sum_exp(logits)


def _mahalanobis(statistics: Statistics, _: Array, features: Array) -> NDArray[np.float64]:
    """Squared distance to the nearest class, in units of the spread within classes (Lee et al. 2018)."""
    along, beyond = statistics.project(features)
    return _to_centres(statistics, along) + beyond / statistics.rest


def _relative_mahalanobis(statistics: Statistics, _: Array, features: Array) -> NDArray[np.float64]:
    """The same, less the squared distance to all known photos as one class (Ren et al. 2021)."""
    along, _beyond = statistics.project(features)
    return _to_centres(statistics, along) - (along**2 / statistics.variances).sum(axis=1)


def _nearest_neighbours(statistics: Statistics, _: Array, features: Array) -> NDArray[np.float64]:
    """Distance to the fifth nearest known photo (Sun et al. 2022)."""
    return np.maximum.reduce(_nearest(statistics, features), axis=1)


def _mean_neighbours(statistics: Statistics, _: Array, features: Array) -> NDArray[np.float64]:
    """Mean distance to the five nearest known photos (Angiulli & Pizzuti 2002): one number of a few hundred
    photos is less a matter of chance where five distances make it up.
    """
    nearest = _nearest(statistics, features)
    return np.add.reduce(nearest, axis=1) / nearest.shape[1]


def _nearest(statistics: Statistics, features: Array) -> NDArray[np.float32]:
    """Distances [N, 5] to the nearest known photos, in no order, features at length one."""
    first, second, third = statistics.squares
    squared = (features @ first / lengths(features)) @ second
    squared += third
    count = min(_NEIGHBOURS, squared.shape[1])
    return np.sqrt(np.maximum(np.partition(squared, count - 1, axis=1)[:, :count], 0))


def _to_centres(statistics: Statistics, along: Array) -> NDArray[np.float64]:
    white = along @ statistics.whitening
    between = white[:, None, :] - statistics.centres
    return np.minimum.reduce(np.vecdot(between, between), axis=1)


def _log_sum_exp(logits: Array) -> NDArray[np.float64]:
    top = logits.max(axis=1).astype(np.float64)
    return top + np.log(np.exp(logits - top[:, None]).sum(axis=1))


_SCORES: dict[Method, Callable[[Statistics, Array, Array], NDArray[np.float64]]] = {
    "max_probability": _max_probability,
    "energy": _energy,
    "mahalanobis": _mahalanobis,
    "relative_mahalanobis": _relative_mahalanobis,
    "nearest_neighbours": _nearest_neighbours,
    "mean_neighbours": _mean_neighbours,
}
