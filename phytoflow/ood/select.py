"""Selects the OOD score and sets its threshold, on photos that the statistics were not fitted on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.reports import METHODS, Method
from phytoflow.ood.cross_conformal import cross_conformal_scores
from phytoflow.ood.feature_statistics import FeatureStatistics, fit_statistics
from phytoflow.ood.metrics import auroc, auroc_error, grouped_quantile
from phytoflow.ood.outputs import ModelOutputs
from phytoflow.ood.scores import score

# Fewest assumptions first. Neighbour distances assume no shape of the known photos; Mahalanobis distances
# assume Gaussian classes of one covariance; logit scores assume that an OOD photo raises no logit, which
# networks do not guarantee (Hein et al. 2019).
_BY_ASSUMPTIONS: tuple[Method, ...] = (
    "mean_neighbours",
    "nearest_neighbours",
    "mahalanobis",
    "relative_mahalanobis",
    "energy",
    "max_probability",
)
_MOST_LEFT_OUT = 6  # classes left out in turn: each costs a fit
_FEWEST_CLASSES = 3  # below that, leaving one out leaves a single class
_MOST_FITTED = 1000  # photos of the fits that only compare scores: enough, and they take a second each
_CLOSE = 2  # standard errors within which two scores count as equally good
Aurocs = dict[Method, tuple[float | None, float]]


@dataclass(frozen=True)
class OodChoice:
    """The selected OOD score.

    Attributes:
        statistics: Fitted feature statistics.
        method: The score.
        typical: Median score of known photos that the statistics were not fitted on.
        threshold: The score above which a photo is out of distribution.
        known_photos: Number of these known photos.
        false_positive_rate: Share of them above the threshold.
        aurocs: Near-OOD AUROC (None if it cannot be measured) and far-OOD AUROC of each score.
    """

    statistics: FeatureStatistics
    method: Method
    typical: float
    threshold: float
    known_photos: int
    false_positive_rate: float
    aurocs: Aurocs


def select_score(
    fitted: ModelOutputs,
    held_out: ModelOutputs,
    far: ModelOutputs,
    false_positive_rate: float,
    *,
    trained_on: bool,
) -> OodChoice:
    """Fits the statistics, selects the best score and sets the threshold.

    Near-OOD photos are the held-out photos of each class in turn, scored with statistics and logits that lack
    the class: an estimate for a plant or disease that nobody photographed. It flatters all scores alike,
    since the network itself knows the class. With fewer than three classes there is no such test: the
    distance between two classes says nothing about a third. Scores are ranked by their mean AUROC over near
    and far OOD photos. Of those within two standard errors of the best, the one with the fewest assumptions
    is taken.

    Args:
        fitted: Photos that the statistics are fitted on.
        held_out: Other known photos.
        far: Synthetic outliers.
        false_positive_rate: Share of known photos that may be taken for OOD photos.
        trained_on: Whether the network was trained on the held-out photos too. They are then no better than
            the fitted ones, and all of them set the threshold.
    """
    statistics = fit_statistics(fitted.features, fitted.labels)
    near = _near_aurocs(fitted, held_out)
    aurocs = {method: (near[method], _auroc(method, statistics, held_out, far)) for method in METHODS}
    method = _best_method(aurocs, held_out, len(far.labels))
    known = fitted.concatenate(held_out) if trained_on else held_out
    scores = cross_conformal_scores(method, known) if trained_on else _scores(method, statistics, known)
    groups = np.unique(known.groups, return_inverse=True)[1]
    typical = float(np.median(scores))
    # Photos that all score alike would leave no scale to divide by.
    least = typical + 1e-6 * (1 + abs(typical))
    threshold = max(grouped_quantile(scores, groups, false_positive_rate), least)
    rate = float((scores > threshold).mean())
    return OodChoice(statistics, method, typical, threshold, len(scores), rate, aurocs)


def _best_method(aurocs: Aurocs, held_out: ModelOutputs, far: int) -> Method:
    measured = {method: [area for area in both if area is not None] for method, both in aurocs.items()}
    means = {method: float(np.mean(areas)) for method, areas in measured.items()}
    best = max(means.values())
    error = _mean_auroc_error(min(best, 0.99), held_out.labels, far)  # 1.0 would have no error at all
    return next(method for method in _BY_ASSUMPTIONS if means[method] >= best - _CLOSE * error)


def _mean_auroc_error(area: float, labels: NDArray[np.int64], far: int) -> float:
    """Standard error of the mean of the near-OOD AUROC (itself a mean over classes) and the far-OOD AUROC."""
    far_error = auroc_error(area, len(labels), far)
    sizes = [int((labels == label).sum()) for label in _classes_left_out(labels)]
    if len(sizes) < _FEWEST_CLASSES:
        return far_error
    near_errors = [auroc_error(area, len(labels) - size, size) / len(sizes) for size in sizes]
    return math.hypot(*near_errors, far_error) / 2


def _classes_left_out(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    present = np.unique(labels)
    return present[np.unique(np.linspace(0, len(present) - 1, _MOST_LEFT_OUT).astype(int))]


def _near_aurocs(fitted: ModelOutputs, held_out: ModelOutputs) -> dict[Method, float | None]:
    """Mean AUROC of each score over the classes left out; None if too few classes are present."""
    rows = np.zeros(len(fitted.labels), bool)
    rows[np.linspace(0, len(rows) - 1, min(_MOST_FITTED, len(rows))).astype(int)] = True
    few = fitted.select(rows)
    present = np.intersect1d(np.unique(few.labels), np.unique(held_out.labels))
    if len(present) < _FEWEST_CLASSES:
        return dict.fromkeys(METHODS)
    parts = [_aurocs_without(int(label), few, held_out) for label in _classes_left_out(present)]
    return {method: float(np.mean([part[method] for part in parts])) for method in METHODS}


def _aurocs_without(label: int, fitted: ModelOutputs, held_out: ModelOutputs) -> dict[Method, float]:
    """AUROC of each score for the photos of one class, which statistics and logits lack."""
    rest = fitted.select(fitted.labels != label)
    statistics = fit_statistics(rest.features, rest.labels)
    known = held_out.select(held_out.labels != label, label)
    ood = held_out.select(held_out.labels == label, label)
    return {method: _auroc(method, statistics, known, ood) for method in METHODS}


def _auroc(method: Method, statistics: FeatureStatistics, known: ModelOutputs, ood: ModelOutputs) -> float:
    return auroc(_scores(method, statistics, known), _scores(method, statistics, ood))


def _scores(method: Method, statistics: FeatureStatistics, outputs: ModelOutputs) -> NDArray[np.float64]:
    scores = score(method, statistics, outputs.logits.astype(np.float64), outputs.features)
    return np.asarray(scores, np.float64)
