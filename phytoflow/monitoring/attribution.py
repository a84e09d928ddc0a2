"""What moved between the reference and the photos since an alarm."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.monitoring.domain_classifier import separability, served_probability
from phytoflow.monitoring.observations import WATCHED, Observations
from phytoflow.monitoring.reference import Reference
from phytoflow.monitoring.two_samples import class_shift, maximum_mean_discrepancy, univariate_shift

STRANGEST = 8  # photos shown to a person
_SIGNIFICANT = 0.01
_MOST_MOVED = 12  # values shown to a person: a change that all photos share moves dozens of components
_FEWEST = 5  # photos; with fewer, no test says anything


class Movement(BaseModel):
    """One value that is compared between served and reference photos.

    Attributes:
        name: ``class``, or a name of ``WATCHED``.
        p_value: Corrected for the number of values (Holm 1979).
        reference: Median among reference photos; for ``class`` the most changed class's share.
        served: The same among served photos.
        detail: For ``class`` the name of the most changed class.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    p_value: float
    reference: float
    served: float
    detail: str = ""


class Attribution(BaseModel):
    """What moved.

    Attributes:
        moved: Values that changed significantly, least probable by chance first; twelve at most.
        discrepancy_p_value: P-value of the maximum mean discrepancy of the components; None without features.
        separability: Area under the curve of the domain classifier; None without features.
        strangest: Indices of the served photos that resemble the reference least.
    """

    model_config = ConfigDict(frozen=True)

    moved: tuple[Movement, ...]
    discrepancy_p_value: float | None
    separability: float | None
    strangest: tuple[int, ...]


def attribute(reference: Reference, photos: Observations) -> Attribution:
    """Compares photos with the reference, value by value, all together, and one by one."""
    if len(photos) < _FEWEST:
        return Attribution(moved=(), discrepancy_p_value=None, separability=None, strangest=())
    movements = [_class_movement(reference, photos), *_movements(reference.observations, photos)]
    significant = [m for m in _correct(movements) if m.p_value < _SIGNIFICANT][:_MOST_MOVED]
    with_features = np.flatnonzero(np.isfinite(photos.components).all(axis=1))
    if not photos.components.shape[1] or len(with_features) < _FEWEST:
        odd = np.argsort(photos.confidence, kind="stable")[:STRANGEST]
        return Attribution(
            moved=tuple(significant),
            discrepancy_p_value=None,
            separability=None,
            strangest=tuple(map(int, odd)),
        )
    known, served = reference.observations.components, photos.components[with_features]
    probability = served_probability(known, served)
    order = np.argsort(-probability[len(known) :], kind="stable")[:STRANGEST]
    return Attribution(
        moved=tuple(significant),
        discrepancy_p_value=maximum_mean_discrepancy(known, served)[1],
        separability=separability(probability, len(known)),
        strangest=tuple(int(with_features[i]) for i in order),
    )


def _class_movement(reference: Reference, photos: Observations) -> Movement:
    classes = len(reference.classes)
    shares = [
        np.bincount(labels, minlength=classes) / len(labels)
        for labels in (reference.observations.label, photos.label)
    ]
    most = int(np.abs(shares[1] - shares[0]).argmax())
    return Movement(
        name="class",
        p_value=class_shift(reference.observations.label, photos.label, classes),
        reference=float(shares[0][most]),
        served=float(shares[1][most]),
        detail=reference.classes[most],
    )


def _movements(reference: Observations, photos: Observations) -> list[Movement]:
    columns = zip(WATCHED, reference.watched.T, photos.watched.T, strict=True)
    finite = ((name, _finite(known), _finite(served)) for name, known, served in columns)
    return [
        Movement(
            name=name,
            p_value=univariate_shift(known, served),
            reference=float(np.median(known)),
            served=float(np.median(served)),
        )
        for name, known, served in finite
        if len(known) >= _FEWEST and len(served) >= _FEWEST
    ]


def _finite(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values[np.isfinite(values)]


def _correct(movements: list[Movement]) -> list[Movement]:
    """Holm's correction: the k-th smallest of n p-values is multiplied by n - k + 1."""
    ordered = sorted(movements, key=lambda movement: movement.p_value)
    corrected, largest = [], 0.0
    for k, movement in enumerate(ordered):
        largest = max(largest, min(1.0, movement.p_value * (len(ordered) - k)))
        corrected.append(movement.model_copy(update={"p_value": largest}))
    return corrected
