"""What differs between runs: settings, figures, classes, cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from phytoflow.tracking.runs import RunRecord

Unit = Literal["share", "number", "milliseconds", "seconds"]
FIGURES: tuple[tuple[str, str, Unit], ...] = (
    ("Accuracy", "accuracy", "share"),
    ("Macro-F1", "macro_f1", "share"),
    ("Macro precision", "macro_precision", "share"),
    ("Macro recall", "macro_recall", "share"),
    ("Calibration error", "ece", "share"),
    ("Log loss", "log_loss", "number"),
    ("Test photos", "photos", "number"),
)
"""Name, metric and unit of each figure on the test photos."""
TRAINING_TIME, PHOTO_TIME = "Training time", "Time of one photo"
"""Names of the figures of cost."""
_CLASS = ("test.per_class.", ".f1")
_LATENCY, _PHOTOS = "test.mean_latency_ms", "test.photos"
_ABSENT = "–"


@dataclass(frozen=True)
class Figure:
    """One figure of every run.

    Attributes:
        name: For people.
        unit: Of its values.
        values: One a run; None where it was not measured.
        intervals: Confidence intervals, where there are some.
    """

    name: str
    unit: Unit
    values: tuple[float | None, ...]
    intervals: tuple[tuple[float, float] | None, ...]


@dataclass(frozen=True)
class RunComparison:
    """Runs side by side.

    Attributes:
        runs: The runs.
        settings: Values of each run by setting, for the settings that differ.
        figures: Figures on the test photos, and their intervals.
        classes: F1 of each class, the class with the largest difference first.
        cost: Duration of the training and of an answer.
        curves: Names of the curves that at least one run has.
        same_test: Whether all runs that were tested were so on the same number of photos.
    """

    runs: tuple[RunRecord, ...]
    settings: dict[str, tuple[str, ...]]
    figures: tuple[Figure, ...]
    classes: tuple[Figure, ...]
    cost: tuple[Figure, ...]
    curves: tuple[str, ...]
    same_test: bool


def compare_runs(runs: Sequence[RunRecord]) -> RunComparison:
    """Compares runs as they were recorded; nothing is computed anew."""
    figures = [_figure(runs, name, f"test.{key}", unit) for name, key, unit in FIGURES]
    durations = tuple(run.seconds for run in runs)
    cost = (
        Figure(TRAINING_TIME, "seconds", durations, (None,) * len(runs)),
        _figure(runs, PHOTO_TIME, _LATENCY, "milliseconds"),
    )
    return RunComparison(
        runs=tuple(runs),
        settings=_differing(runs),
        figures=tuple(figure for figure in figures if _is_measured(figure)),
        classes=tuple(sorted(_classes(runs), key=_spread, reverse=True)),
        cost=tuple(figure for figure in cost if _is_measured(figure)),
        curves=tuple(sorted({name for run in runs for name in run.curves})),
        same_test=len({run.metrics[_PHOTOS] for run in runs if _PHOTOS in run.metrics}) <= 1,
    )


def _differing(runs: Sequence[RunRecord]) -> dict[str, tuple[str, ...]]:
    names = sorted({name for run in runs for name in run.parameters})
    rows = {name: tuple(run.parameters.get(name, _ABSENT) for run in runs) for name in names}
    return {name: values for name, values in rows.items() if len(set(values)) > 1}


def _classes(runs: Sequence[RunRecord]) -> Iterable[Figure]:
    start, end = _CLASS
    names = {name for run in runs for name in run.metrics if name.startswith(start) and name.endswith(end)}
    for name in sorted(names):
        shown = name.removeprefix(start).removesuffix(end)
        yield _figure(runs, shown, name, "share", interval=f"{name}_interval")


def _figure(runs: Sequence[RunRecord], name: str, metric: str, unit: Unit, interval: str = "") -> Figure:
    interval = interval or f"test.intervals.{metric.removeprefix('test.')}"
    return Figure(
        name,
        unit,
        tuple(run.metrics.get(metric) for run in runs),
        tuple(_interval(run, interval) for run in runs),
    )


def _interval(run: RunRecord, name: str) -> tuple[float, float] | None:
    low, high = run.metrics.get(f"{name}.low"), run.metrics.get(f"{name}.high")
    return None if low is None or high is None else (low, high)


def _is_measured(figure: Figure) -> bool:
    return any(value is not None for value in figure.values)


def _spread(figure: Figure) -> float:
    known = [value for value in figure.values if value is not None]
    return max(known) - min(known)
