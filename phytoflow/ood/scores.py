"""Scores of strangeness: each takes logits and features of photos and gives one number a photo, higher is
stranger. They need numpy only, which a predictor has; given torch's tensors they can be traced into a model
file, where they cost a photo less.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from phytoflow.bundle.manifest import Method
from phytoflow.ood.array_namespace import namespace_of, smallest
from phytoflow.ood.feature_statistics import Array, Statistics, lengths, squares_of

_NEIGHBOURS = 5


def score(method: Method, statistics: Statistics, logits: Any, features: Array) -> Any:
    """Strangeness of photos.

    Args:
        method: Which score.
        statistics: Of known photos.
        logits: float [N, C], as the model gives them; in double precision scores that use them tell apart
            photos which the model is very sure of.
        features: float32 [N, D].

    Returns:
        Float [N], higher is stranger; an array, or a tensor where tensors were given.
    """
    return _SCORES[method](statistics, logits, features)


def _max_probability(_: Statistics, logits: Any, __: Array) -> Any:
    """One less the highest probability (Hendrycks & Gimpel 2017)."""
    xp = namespace_of(logits)
    return 1 - xp.exp(xp.amax(logits, axis=1) - _log_sum_exp(logits))


def _energy(_: Statistics, logits: Any, __: Array) -> Any:
    """Free energy, at temperature one (Liu et al. 2020)."""
    return -_log_sum_exp(logits)


def _mahalanobis(statistics: Statistics, _: Any, features: Array) -> Any:
    """Squared distance to the nearest class, in units of the spread within classes (Lee et al. 2018)."""
    along, beyond = statistics.project(features)
    return _to_centres(statistics, along) + beyond / statistics.rest


def _relative_mahalanobis(statistics: Statistics, _: Any, features: Array) -> Any:
    """The same, less the squared distance to all known photos as one class (Ren et al. 2021)."""
    along, _beyond = statistics.project(features)
    to_all = namespace_of(along).sum(along * along / statistics.variances, axis=1)
    return _to_centres(statistics, along) - to_all


def _nearest_neighbours(statistics: Statistics, _: Any, features: Array) -> Any:
    """Distance to the fifth nearest known photo (Sun et al. 2022)."""
    return namespace_of(features).amax(_nearest(statistics, features), axis=1)


def _mean_neighbours(statistics: Statistics, _: Any, features: Array) -> Any:
    """Mean distance to the five nearest known photos (Angiulli & Pizzuti 2002): one number of a few hundred
    photos is less a matter of chance where five distances make it up.
    """
    return namespace_of(features).mean(_nearest(statistics, features), axis=1)


def _nearest(statistics: Statistics, features: Array) -> Any:
    """Distances [N, 5] to the nearest known photos, in no order, features at length one."""
    first, second, third = statistics.squares
    squared = (features @ first / lengths(features)) @ second + third
    xp, count = namespace_of(features), min(_NEIGHBOURS, len(third))
    return xp.sqrt(xp.clip(smallest(squared, count), 0, None))


def _to_centres(statistics: Statistics, along: Array) -> Any:
    white = along @ statistics.whitening
    between = white[:, None, :] - statistics.centres
    return namespace_of(along).amin(squares_of(between), axis=1)


def _log_sum_exp(logits: Any) -> Any:
    xp = namespace_of(logits)
    top = xp.amax(logits, axis=1)
    return top + xp.log(xp.sum(xp.exp(logits - top[:, None]), axis=1))


_SCORES: dict[Method, Callable[[Statistics, Any, Array], Any]] = {
    "max_probability": _max_probability,
    "energy": _energy,
    "mahalanobis": _mahalanobis,
    "relative_mahalanobis": _relative_mahalanobis,
    "nearest_neighbours": _nearest_neighbours,
    "mean_neighbours": _mean_neighbours,
}
