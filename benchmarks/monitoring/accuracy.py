"""The estimate of the accuracy compared with the true one, and grades of alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from benchmarks.monitoring.delays import stream_of
from benchmarks.monitoring.outputs import HeldOut
from phytoflow.monitoring.accuracy import estimate_accuracy
from phytoflow.monitoring.monitor import Monitor
from phytoflow.monitoring.reference import Reference

_GRADED_AFTER = 200  # photos


def table(held_out: HeldOut) -> Iterator[str]:
    """Estimates over corruptions and severities, on known photos: a Markdown table."""
    yield "| Corruption | True accuracy, severity 1 to 5 | Estimated (thresholded) | Mean confidence |"
    yield "|---|---|---|---|"
    errors: dict[str, list[float]] = {"thresholded": [], "mean_confidence": []}
    silent = 0
    for name, severities in held_out.corrupted.items():
        rows = []
        for photos in severities:
            estimate = estimate_accuracy(_others(held_out.clean, photos), photos.observations)
            known = photos.correct[~photos.observations.unknown]
            true = float(known.mean()) if len(known) else None
            silent += estimate.thresholded is None
            rows.append((true, estimate.thresholded, estimate.mean_confidence))
            if true is not None and estimate.thresholded is not None and estimate.mean_confidence is not None:
                errors["thresholded"].append(abs(estimate.thresholded - true))
                errors["mean_confidence"].append(abs(estimate.mean_confidence - true))
        yield (
            f"| {name} | "
            + " | ".join(" ".join(map(_text, column)) for column in zip(*rows, strict=True))
            + " |"
        )
    yield ""
    yield (
        f"Mean error: {100 * np.mean(errors['thresholded']):.1f} points thresholded, "
        f"{100 * np.mean(errors['mean_confidence']):.1f} points mean confidence, over "
        f"{len(errors['thresholded'])} estimates; {silent} times it said that it cannot tell."
    )


def grades(held_out: HeldOut, trials: int) -> Iterator[str]:
    """Grades of streams after some hundred photos, and what they cost in truth: a Markdown table."""
    yield f"| Stream | True accuracy | Grade after {_GRADED_AFTER} photos, trials |"
    yield "|---|---|---|"
    for name in (n for n in held_out.shifted if n != "clean"):
        counted: Counter[str] = Counter()
        for seed in range(trials):
            reference, stream = stream_of(held_out, name, np.random.default_rng(seed))
            monitor = Monitor(reference)
            photos = stream.select(slice(0, _GRADED_AFTER))
            state, _ = monitor.advance(monitor.start(), photos, [str(i) for i in range(len(photos))])
            counted[monitor.assess(state).grade] += 1
        seen = held_out.shifted[name]
        right = seen.label == held_out.clean.true if len(seen) == len(held_out.clean) else np.zeros(1)
        shown = ", ".join(f"{grade} {count}" for grade, count in counted.most_common())
        yield f"| {name} | {right.mean():.3f} | {shown} |"


def _others(clean: Reference, photos: Reference) -> Reference:
    """The reference without the groups of the photos that are judged, if that leaves half of it."""
    apart = ~np.isin(clean.groups, photos.groups)
    return clean.select(apart) if apart.mean() >= 0.5 else clean


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
