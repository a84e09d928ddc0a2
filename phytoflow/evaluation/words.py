"""The figures in plain words, for a reader who knows plants and not statistics."""

from __future__ import annotations

from phytoflow.evaluation.intervals import Interval
from phytoflow.evaluation.metrics import ClassMetrics, Metrics

FEW_GROUPS = 10  # of a class: below it one leaf moves the figure by more than a tenth
_GAP = 0.05


def verdict(metrics: Metrics) -> str:
    """The headline: how often it is right, as a whole number of 100 photos."""
    hundredths = round(100 * metrics.accuracy)
    if metrics.trained_on:
        return f"Not a fair test: {metrics.trained_on} of {_photos(metrics.photos)} were used in training."
    if metrics.accuracy == 1:
        return f"Right on all {metrics.photos} test photos."
    if hundredths == 100:
        return "Wrong on less than one test photo in 200."
    unseen = "" if metrics.trained_on is None else " it had never seen"
    return f"Right on {hundredths} of 100 photos{unseen}."


def remarks(metrics: Metrics) -> list[str]:
    """What a reader should know before trusting the headline, most important first."""
    found = [_weakest(metrics), _confidence(metrics), _few(metrics), _absent(metrics), _unreadable(metrics)]
    return [text for text in found if text] + [
        "It gives every photo one of its classes, also one that shows something else. Photos taken with "
        "other cameras, places or seasons than these can be harder."
    ]


def percent(value: float) -> str:
    """A share in per cent, never rounded up to a perfection that is none."""
    if 0.9995 <= value < 1:
        return "99.9%"
    return f"{100 * value:.1f}%"


def between(interval: Interval) -> str:
    """An interval of shares."""
    return f"{percent(interval[0])} to {percent(interval[1])}"


def weakest_class(metrics: Metrics) -> tuple[str, ClassMetrics]:
    """The tested class with the lowest F1."""
    tested = [(name, figures) for name, figures in metrics.per_class.items() if figures.support]
    return min(tested, key=lambda item: item[1].f1)


def confusions(metrics: Metrics) -> list[tuple[int, str, str]]:
    """Mistakes as (photos, true class, class given), the most frequent first."""
    return sorted(
        (
            (count, metrics.classes[row], metrics.classes[column])
            for row, counts in enumerate(metrics.confusion_matrix)
            for column, count in enumerate(counts)
            if count and row != column
        ),
        key=lambda item: -item[0],
    )


def _weakest(metrics: Metrics) -> str:
    mistakes = confusions(metrics)
    if not mistakes:
        return ""
    count, label, given = mistakes[0]
    name, figures = weakest_class(metrics)
    return (
        f"Weakest on {name}: it finds {percent(figures.recall)} of these photos, and when it says {name} it "
        f"is right {percent(figures.precision)} of the time. Most frequent mistake: {label} taken for "
        f"{given} ({_photos(count)})."
    )


def _confidence(metrics: Metrics) -> str:
    mean = metrics.mean_confidence
    if metrics.ece <= _GAP:
        return f"Its confidence can be taken at its word: on average it is off by {percent(metrics.ece)}."
    way = "surer than it should be" if mean > metrics.accuracy else "more careful than it need be"
    claims = f"it claims {percent(mean)} on average and is right {percent(metrics.accuracy)} of the time"
    return f"It is {way}: {claims}."


def _few(metrics: Metrics) -> str:
    few = [n for n, f in metrics.per_class.items() if 0 < f.groups < FEW_GROUPS]
    if not few:
        return ""
    return (
        f"Fewer than {FEW_GROUPS} separate leaves or plants were tested of: {', '.join(few)}. Their figures "
        "can be far off; more test photos would tell."
    )


def _absent(metrics: Metrics) -> str:
    if not metrics.absent_classes:
        return ""
    return f"Not tested at all, for want of photos: {', '.join(metrics.absent_classes)}."


def _unreadable(metrics: Metrics) -> str:
    count = len(metrics.unreadable)
    return (
        f"{_photos(count)} could not be read and {'is' if count == 1 else 'are'} not counted."
        if count
        else ""
    )


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"
