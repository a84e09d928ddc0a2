"""Flattens the metrics into named scalars, for trackers that take only those.

``metrics.json``, MLflow and Kubeflow Pipelines carry the same numbers under the same names. The name of a
scalar is ``test.`` and its path in ``metrics.json`` joined by dots, e.g. ``test.ood.external.auroc``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from phytoflow.evaluation.results import Metrics

PREFIX = "test."
_Path = tuple[str, ...]
# What is not a measurement, and curves and matrices, which are not scalars.
_LEFT_OUT: set[_Path] = {
    ("schema_version",),
    ("seed",),
    ("confidence_level",),
    ("confusion_matrix",),
    ("selective", "coverage"),
    ("selective", "error"),
    ("variants", "confidence_level"),
}


def flatten_metrics(metrics: Metrics) -> dict[str, float]:
    """All scalars of an evaluation by name.

    The ends of an interval are ``NAME.low`` and ``NAME.high``; elements of other lists have their index.

    Args:
        metrics: The metrics.

    Returns:
        Finite numbers; what was not measured is left out.
    """
    tree = metrics.model_dump(mode="python", exclude_none=True)
    return {PREFIX + ".".join(path): value for path, value in _walk(tree, ())}


def _walk(value: Any, path: _Path) -> Iterator[tuple[_Path, float]]:
    if path in _LEFT_OUT or isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, float(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _walk(part, (*path, name))
    elif isinstance(value, tuple):
        for name, part in zip(_element_names(value, path), value, strict=True):
            yield from _walk(part, (*path, name))


def _element_names(value: tuple[Any, ...], path: _Path) -> list[str]:
    is_interval = path[-1].endswith("interval") or path[-2:-1] == ("intervals",)
    return ["low", "high"] if is_interval else [str(index) for index in range(len(value))]
