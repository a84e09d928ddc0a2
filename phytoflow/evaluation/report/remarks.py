"""The headline of a report, and what a reader should know before trusting it."""

from __future__ import annotations

from collections.abc import Callable

from phytoflow.evaluation.metrics.classification import ClassMetrics
from phytoflow.evaluation.report.confusion import confused_pairs
from phytoflow.evaluation.report.phrases import (
    SMALL,
    describe_chance,
    describe_external,
    is_clearly_worse,
    join_names,
    percent,
    photos_of,
)
from phytoflow.evaluation.results import Metrics

MIN_GROUPS = 10  # per class; with fewer, one leaf changes a metric by more than a tenth
_WIDE = 0.05  # an interval this wide says that there were few photos
_CLUSTERED = 2  # photos per group from which on the number of groups is what counts
_NEARLY_ALL = 0.9995  # from here on a share is no bound that tells a reader anything
_SIGNIFICANT = 0.05  # level of the calibration test


def headline(metrics: Metrics) -> str:
    """How many test photos were classified correctly, and what that says about others."""
    if metrics.trained_on:
        used = f"{metrics.trained_on:,} of {photos_of(metrics.photos)}"
        return f"Not a fair test: {used} {_was(metrics.trained_on)} used in training."
    count = f"Right on {metrics.correct:,} of {metrics.photos:,} test photos"
    if metrics.correct == metrics.photos:
        count = f"Right on all {metrics.photos:,} test photos"
    low, high = metrics.intervals["accuracy"]
    if high - low <= _WIDE:
        likely = (
            f"between {percent(low)} and {percent(high)}" if high < _NEARLY_ALL else f"{percent(low)} or more"
        )
        return f"{count} ({percent(metrics.accuracy)}; {likely} is likely)."
    likely = f"between {low:.0%} and {high:.0%} is likely"
    if metrics.photos < _CLUSTERED * metrics.groups:
        return f"{count}; with so few, {likely}."
    return f"{count}, of {metrics.groups:,} separate leaves or plants; with so few, {likely}."


def remarks(metrics: Metrics) -> list[str]:
    """What a reader should know before trusting the headline, the most important first."""
    texts = [describe(metrics) for describe in _REMARKS]
    return [text for text in texts if text]


def weakest_class(metrics: Metrics) -> tuple[str, ClassMetrics]:
    """The tested class with the lowest F1."""
    tested = [(name, row) for name, row in metrics.per_class.items() if row.support]
    return min(tested, key=lambda item: item[1].f1)


def _background(metrics: Metrics) -> str:
    bias = metrics.background_bias
    if bias is None or not bias.reveals_class:
        return ""
    accuracy, part = max(
        (bias.eight_pixels, "eight pixels of its border"),
        (bias.border, "a thin frame around it"),
        (bias.masked, "its surroundings with the middle masked"),
    )
    return (
        f"Warning: the classes can be told apart without the leaf. From {part} alone, the class of a photo "
        f"is recognised {percent(accuracy)} of the time (guessing: {percent(bias.chance)}). Camera, light or "
        "background differ between the classes, and the model may have learnt that instead of the disease. "
        "Do not expect the same accuracy on photos taken elsewhere."
    )


def _external(metrics: Metrics) -> str:
    if (external := metrics.external) is None:
        return ""
    text = ("Warning: " if is_clearly_worse(external) else "") + describe_external(external)
    if external.trained_on:
        used = f"{photos_of(external.trained_on)} of them {_was(external.trained_on)} used in training"
        text += f" {used}, so the true accuracy is likely lower."
    return text


def _weakest(metrics: Metrics) -> str:
    pairs = confused_pairs(metrics, {})
    if not pairs:
        return ""
    worst, (name, row) = pairs[0], weakest_class(metrics)
    alone = len(pairs) == 1 or worst.count > pairs[1].count
    mistake = "Most frequent mistake" if alone else "One of the most frequent mistakes"
    return (
        f"Weakest on {name}: it recognises {percent(row.recall)} of these photos, and when it says {name} it "
        f"is right {percent(row.precision)} of the time. {mistake}: {worst.label} taken for "
        f"{worst.predicted} ({photos_of(worst.count)})."
    )


def _confidence(metrics: Metrics) -> str:
    gap, calibration = metrics.mean_confidence - metrics.accuracy, metrics.calibration
    error = percent(metrics.ece)
    if metrics.ece <= SMALL:
        text = f"Its confidence can be taken literally: it is off by {error} on average."
        return text + describe_chance(calibration)
    if calibration and calibration.p_value > _SIGNIFICANT:
        return (
            f"Its confidence is off by {error} on average, no more than chance explains on so few photos "
            f"({percent(calibration.ece_if_calibrated)} is to be expected)."
        )
    if abs(gap) < metrics.ece / 2:
        return (
            f"Its confidence is off by {error} on average, too high for some photos and too low for others."
        )
    direction = "overconfident" if gap > 0 else "more careful than necessary"
    mean, accuracy = percent(metrics.mean_confidence), percent(metrics.accuracy)
    return f"It is {direction}: its mean confidence is {mean}, and it is right {accuracy} of the time."


def _few_groups(metrics: Metrics) -> str:
    few = [name for name, row in metrics.per_class.items() if 0 < row.groups < MIN_GROUPS]
    if not few:
        return ""
    return (
        f"Fewer than {MIN_GROUPS} separate leaves or plants were tested of: {join_names(few)}. Their metrics "
        "are uncertain; more test photos would show."
    )


def _absent(metrics: Metrics) -> str:
    if not metrics.absent_classes:
        return ""
    return f"Not tested at all, because there are no test photos: {join_names(metrics.absent_classes)}."


def _unreadable(metrics: Metrics) -> str:
    count = len(metrics.unreadable)
    if not count:
        return ""
    return f"{photos_of(count)} could not be read and {'is' if count == 1 else 'are'} not counted."


def _ood(metrics: Metrics) -> str:
    if (ood := metrics.ood) is None:
        return "It gives every photo one of its classes, even one that shows something else."
    rejected = percent(ood.false_positive_rate) if ood.false_positive_rate else "none"
    text = (
        "It calls a photo “unknown” if it differs from those it was trained on. Of the test photos, which "
        f"all show known classes, {rejected} were called unknown."
    )
    if (external := ood.external) is None:
        return text
    detected = percent(1 - external.accepted)
    return f"{text} Of {photos_of(external.photos)} of something else, {detected} were detected."


def _other_conditions(metrics: Metrics) -> str:
    if metrics.external is not None:
        return ""
    return "Photos from other cameras, places or seasons than the test photos can be harder."


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


_REMARKS: tuple[Callable[[Metrics], str], ...] = (
    _background,
    _external,
    _weakest,
    _confidence,
    _few_groups,
    _absent,
    _unreadable,
    _ood,
    _other_conditions,
)
