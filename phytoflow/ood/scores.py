"""OOD scores: each takes the logits and features of photos and returns a number for each, higher further out.

They need numpy only, which a predictor has. Given torch tensors they can be traced into an ONNX file, where
they cost less time for each photo.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from phytoflow.bundle.reports import Method
from phytoflow.ood.array_namespace import namespace_of, smallest
from phytoflow.ood.feature_statistics import Array, FeatureStatistics, lengths, squares_of

_NEIGHBOURS = 5  # the distance to the nearest alone depends on single odd photos


def score(method: Method, statistics: FeatureStatistics, logits: Any, features: Array) -> Any:
    """Scores photos.

    Args:
        method: The OOD score.
        statistics: Feature statistics of known photos.
        logits: float [N, C], uncalibrated. In double precision the scores that use them still differ between
            photos of which the model is very certain.
        features: float32 [N, D].

    Returns:
        Float [N], higher is further from the known photos; an array, or a tensor if tensors were given.
    """
    return _SCORES[method](statistics, logits, features)


def _max_probability(_: FeatureStatistics, logits: Any, __: Array) -> Any:
    """One minus the maximum softmax probability (Hendrycks & Gimpel 2017)."""
    xp = namespace_of(logits)
    return 1 - xp.exp(xp.amax(logits, axis=1) - _log_sum_exp(logits))


def _energy(_: FeatureStatistics, logits: Any, __: Array) -> Any:
    """Free energy at temperature 1 (Liu et al. 2020)."""
    return -_log_sum_exp(logits)


def _mahalanobis(statistics: FeatureStatistics, _: Any, features: Array) -> Any:
    """Squared Mahalanobis distance to the nearest class mean (Lee et al. 2018)."""
    along, beyond = statistics.project(features)
    return _to_nearest_class(statistics, along) + beyond / statistics.rest


def _relative_mahalanobis(statistics: FeatureStatistics, _: Any, features: Array) -> Any:
    """The same minus the squared distance to all known photos as one class (Ren et al. 2021)."""
    along, _beyond = statistics.project(features)
    to_all = namespace_of(along).sum(along * along / statistics.variances, axis=1)
    return _to_nearest_class(statistics, along) - to_all


def _nearest_neighbours(statistics: FeatureStatistics, _: Any, features: Array) -> Any:
    """Distance to the fifth nearest known photo (Sun et al. 2022)."""
    return namespace_of(features).amax(_to_neighbours(statistics, features), axis=1)


def _mean_neighbours(statistics: FeatureStatistics, _: Any, features: Array) -> Any:
    """Mean distance to the five nearest known photos (Angiulli & Pizzuti 2002).

    With a few hundred known photos a mean of five distances varies less by chance than one distance does.
    """
    return namespace_of(features).mean(_to_neighbours(statistics, features), axis=1)


def _to_neighbours(statistics: FeatureStatistics, features: Array) -> Any:
    """Distances [N, 5] to the nearest known photos, in no order, between features scaled to unit length."""
    first, second, third = statistics.squares
    squared = (features @ first / lengths(features)) @ second + third
    xp, count = namespace_of(features), min(_NEIGHBOURS, len(third))
    return xp.sqrt(xp.clip(smallest(squared, count), 0, None))


def _to_nearest_class(statistics: FeatureStatistics, along: Array) -> Any:
    white = along @ statistics.whitening
    differences = white[:, None, :] - statistics.centres
    return namespace_of(along).amin(squares_of(differences), axis=1)


def _log_sum_exp(logits: Any) -> Any:
    xp = namespace_of(logits)
    top = xp.amax(logits, axis=1)
    return top + xp.log(xp.sum(xp.exp(logits - top[:, None]), axis=1))


_SCORES: dict[Method, Callable[[FeatureStatistics, Any, Array], Any]] = {
    "max_probability": _max_probability,
    "energy": _energy,
    "mahalanobis": _mahalanobis,
    "relative_mahalanobis": _relative_mahalanobis,
    "nearest_neighbours": _nearest_neighbours,
    "mean_neighbours": _mean_neighbours,
}
