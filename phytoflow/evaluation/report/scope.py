"""What the model should not be used for, by what the evaluation found."""

from __future__ import annotations

from collections.abc import Callable

from phytoflow.evaluation.report.phrases import is_clearly_worse, join_names, percent, photos_of
from phytoflow.evaluation.report.remarks import MIN_GROUPS
from phytoflow.evaluation.results import Metrics

_WEAK = 0.8  # F1 below which a class should not decide anything
_MAX_ACCEPTED = 0.1  # share of OOD photos that may get a class before the reader is warned


def out_of_scope_uses(metrics: Metrics) -> list[str]:
    """Uses that the evaluation gives no support for."""
    return [text for describe in _USES if (text := describe(metrics))]


def _without_a_person(_: Metrics) -> str:
    return "Spraying, felling or selling unless a person who knows plants has checked."


def _external(metrics: Metrics) -> str:
    external = metrics.external
    if external is None or not is_clearly_worse(external):
        return ""
    accuracy = percent(external.accuracy)
    return f"Photos like those of “{external.name}”: it is right on only {accuracy} of them."


def _other_conditions(metrics: Metrics) -> str:
    if metrics.background_bias and metrics.background_bias.reveals_class:
        return "Photos from other cameras or places: it may recognise the background, not the disease."
    return "Photos from cameras, places or seasons on which it has not been tested."


def _other_subjects(metrics: Metrics) -> str:
    if metrics.ood is None:
        return "Photos that may show something else: it gives those a class, too."
    external = metrics.ood.external
    if external is None or external.accepted <= _MAX_ACCEPTED:
        return ""
    of = f"{percent(external.accepted)} of {photos_of(external.photos)} of something else"
    return f"Photos that may show something else: it gave {of} one of its classes."


def _weak_classes(metrics: Metrics) -> str:
    weak = [name for name, row in metrics.per_class.items() if row.support and row.f1 < _WEAK]
    return f"Decisions about {join_names(weak)}: it is too often wrong there." if weak else ""


def _hardly_tested_classes(metrics: Metrics) -> str:
    few = [name for name, row in metrics.per_class.items() if row.groups < MIN_GROUPS]
    return f"Decisions about {join_names(few)}: tested on too few leaves or plants." if few else ""


_USES: tuple[Callable[[Metrics], str], ...] = (
    _without_a_person,
    _external,
    _other_conditions,
    _other_subjects,
    _weak_classes,
    _hardly_tested_classes,
)
