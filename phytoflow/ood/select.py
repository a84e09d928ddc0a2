"""Which score tells strangers from known photos, and from where on: by photos the statistics never saw."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import METHODS, Method
from phytoflow.ood.cross_conformal import scores_of
from phytoflow.ood.feature_statistics import Statistics, fit
from phytoflow.ood.metrics import auroc, auroc_error, sure_quantile
from phytoflow.ood.outputs import Answers
from phytoflow.ood.scores import score

_MOST_LEFT_OUT = 6  # classes: each costs a fit
# Nearest neighbours assume no shape of what is known; Mahalanobis normal clouds of one covariance; logits
# that a stranger stirs none of them, which networks give no warrant for (Hein et al. 2019).
_BY_ASSUMPTIONS: tuple[Method, ...] = (
    "mean_neighbours",
    "nearest_neighbours",
    "mahalanobis",
    "relative_mahalanobis",
    "energy",
    "max_probability",
)
_FEWEST_CLASSES = 3  # for one of them to be left out
Figures = dict[Method, tuple[float | None, float]]
_MOST_FITTED = 1000  # photos of the fits that only compare scores


@dataclass(frozen=True)
class Choice:
    """The score that tells strangers best.

    Attributes:
        statistics: Of the fitted photos.
        method: The score.
        typical: Median score of known photos that were not fitted on.
        threshold: Score that few of them exceed.
        known: Number of them.
        refused: Share of them that exceed it.
        figures: AUROC against near (None where none could be had) and far strangers, of every score.
    """

    statistics: Statistics
    method: Method
    typical: float
    threshold: float
    known: int
    refused: float
    figures: Figures


def choose(fitted: Answers, held_out: Answers, far: Answers, refused: float, *, trained_on: bool) -> Choice:
    """Fits statistics, compares the scores and sets the threshold.

    Near strangers are the held-out photos of each class in turn, to statistics and logits that lack it: how
    the score will do on a plant or disease that nobody photographed. The model itself knows the class, which
    flatters all scores. With fewer than three classes there is no such test: how far two classes lie apart
    says nothing of a third. Scores are judged by their mean AUROC over near and far strangers; of those
    within two standard errors of the best, the one that assumes least is taken.

    Args:
        fitted: Of the photos that describe what is known.
        held_out: Of known photos that the statistics are not fitted on.
        far: Of made-up strangers.
        refused: Share of known photos that may be taken for strangers.
        trained_on: Whether the network was trained on the held-out photos too: then they are no better than
            the fitted ones, and all set the threshold.
    """
    statistics = fit(fitted.features, fitted.labels)
    near = _near(fitted, held_out)
    figures = {
        method: (near[method], auroc(_scores(method, statistics, held_out), _scores(method, statistics, far)))
        for method in METHODS
    }
    best = _best(figures, held_out, len(far.labels))
    known = fitted.and_of(held_out) if trained_on else held_out
    scores = scores_of(best, known) if trained_on else _scores(best, statistics, known)
    threshold = sure_quantile(scores, np.unique(known.groups, return_inverse=True)[1], refused)
    typical = float(np.median(scores))
    threshold = max(threshold, typical + 1e-6 * (1 + abs(typical)))  # all alike: still a scale to divide by
    share = float((scores > threshold).mean())
    return Choice(statistics, best, typical, threshold, len(scores), share, figures)


def _best(figures: Figures, held_out: Answers, strangers: int) -> Method:
    had = {method: [area for area in both if area is not None] for method, both in figures.items()}
    means = {method: float(np.mean(areas)) for method, areas in had.items()}
    top = max(means.values())
    error = _error(min(top, 0.99), held_out.labels, strangers)
    return next(method for method in _BY_ASSUMPTIONS if means[method] >= top - 2 * error)


def _error(area: float, labels: NDArray[np.int64], strangers: int) -> float:
    """Standard error of the mean of both AUROCs, the near one, where there is one, a mean over classes."""
    far = auroc_error(area, len(labels), strangers)
    out = [int((labels == label).sum()) for label in _left_out_classes(labels)]
    if len(out) < _FEWEST_CLASSES:
        return far
    near = [auroc_error(area, len(labels) - count, count) / len(out) for count in out]
    return math.hypot(*near, far) / 2


def _left_out_classes(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    present = np.unique(labels)
    return present[np.unique(np.linspace(0, len(present) - 1, _MOST_LEFT_OUT).astype(int))]


def _near(fitted: Answers, held_out: Answers) -> dict[Method, float | None]:
    """Mean AUROC of each score over the classes left out; None where none can be."""
    few = np.zeros(len(fitted.labels), bool)
    few[np.linspace(0, len(few) - 1, min(_MOST_FITTED, len(few))).astype(int)] = True
    present = np.intersect1d(np.unique(fitted.labels[few]), np.unique(held_out.labels))
    out = _left_out_classes(present)
    if len(present) < _FEWEST_CLASSES:
        return dict.fromkeys(METHODS)
    parts = [_left_out(int(label), fitted.only(few), held_out) for label in out]
    return {method: float(np.mean([part[method] for part in parts])) for method in METHODS}


def _left_out(label: int, fitted: Answers, held_out: Answers) -> dict[Method, float]:
    rest = fitted.only(fitted.labels != label)
    statistics = fit(rest.features, rest.labels)
    known = held_out.only(held_out.labels != label, label)
    strange = held_out.only(held_out.labels == label, label)
    return {
        method: auroc(_scores(method, statistics, known), _scores(method, statistics, strange))
        for method in METHODS
    }


def _scores(method: Method, statistics: Statistics, answers: Answers) -> NDArray[np.float64]:
    found = score(method, statistics, answers.logits.astype(np.float64), answers.features)
    return np.asarray(found, np.float64)
