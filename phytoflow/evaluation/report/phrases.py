"""Single results in plain words, for readers who know plants but not statistics.

A sentence is written only if the numbers support it: each function looks at the sign and the size of a
difference before it names it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from phytoflow.bundle.reports import Int8Report
from phytoflow.evaluation.audit.leakage import LeakageAudit
from phytoflow.evaluation.external.schema import ExternalMetrics
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.selective import RiskCoverage
from phytoflow.evaluation.robustness.schema import BackgroundChange, Robustness

SMALL = 0.05  # differences of shares up to this are called small
_SMALL_GAP = 0.02  # of the leakage probe; within it the two splits look alike
_MAX_NAMES = 6  # class names in a sentence


def describe_leakage(audit: LeakageAudit) -> str:
    """What a random split would have hidden, or that it would not have."""
    random, ours = audit.random, audit.ours
    grouped = "with the split used here, which keeps photos of one thing together"
    nearest = (
        f"The most similar photo of the whole dataset is a training photo for {percent(ours.nearest)} of the "
        f"test photos {grouped}, and for {percent(random.nearest)} with a random split."
    )
    probe = (
        f" A probe that copies the label of the most similar training photo is right on "
        f"{percent(ours.accuracy)} of the test photos here and on {percent(random.accuracy)} with a random "
        "split"
    )
    if audit.gap > _SMALL_GAP:
        return f"{nearest}{probe}: a random split would have looked better than the model is."
    return f"{nearest}{probe}: a random split would not have looked better on these photos."


def describe_selective(selective: RiskCoverage) -> str:
    """When a person should check the answer."""
    if selective.reject_below is None:
        if selective.error[-1] == 0:
            return "There was no mistake on these photos, so they do not show when a person should check."
        return "Its confidence does not show when a person should check: some confident answers are wrong."
    unknown = "it calls unknown and those " if selective.unknown else ""
    return (
        f"If a person checks the photos {unknown}it is less than {percent(selective.reject_below)} sure of "
        f"({percent(selective.rejection_rate)} of the test photos), {percent(selective.selective_risk)} of "
        f"the remaining answers are wrong. Without checking it is {percent(selective.error[-1])}."
    )


def describe_robustness(robustness: Robustness) -> str:
    """What corrupted photos cost."""
    mean, kinds = 1 - robustness.mean_corruption_error, len(robustness.accuracy)
    text = (
        f"On {photos_of(robustness.photos)} with {kinds} kinds of corruption at five severities it is right "
        f"on {percent(mean)} on average; unchanged, on {percent(robustness.clean)}."
    )
    if robustness.mean_corruption_error > 0:
        worst, group = robustness.worst_class, robustness.worst_group
        text += (
            f" Worst corruption: {robustness.worst_corruption}. Worst class: {worst.label} "
            f"({percent(worst.accuracy)} right). Worst combination: {group.label} with {group.corruption} "
            f"({percent(group.accuracy)})."
        )
    return text + (_describe_background(robustness.background) if robustness.background else "")


def _describe_background(change: BackgroundChange) -> str:
    return (
        f" On the {photos_of(change.photos)} whose leaf can be separated from the background it is right on "
        f"{percent(change.clean)} unchanged, and on {percent(change.accuracy[-1])} with soil, sky, cloth or "
        "grass drawn behind the leaf."
    )


def describe_external(external: ExternalMetrics) -> str:
    """Accuracy on the external test set, compared with the bundle's own test photos."""
    drop = external.drops.get("accuracy")
    text = (
        f"On {photos_of(external.photos)} of “{external.name}” it is right on {percent(external.accuracy)} "
        f"(likely {between(external.intervals['accuracy'])})"
    )
    if drop is None:
        return f"{text}; its own test photos show none of these classes to compare with."
    text += f", on its own test photos of the same classes on {percent(drop.own)}"
    low, high = sorted(abs(end) for end in drop.interval)
    if drop.significant:
        return f"{text}: a loss of {percent(drop.lost)} (likely {percent(low)} to {percent(high)})."
    if drop.significant_gain:
        return f"{text}: these photos are easier for it."
    return f"{text}: no significant difference."


def is_clearly_worse(external: ExternalMetrics) -> bool:
    """Whether accuracy on the external test set is lower, significantly and by more than a little."""
    drop = external.drops.get("accuracy")
    return drop is not None and drop.significant and drop.lost > SMALL


def describe_int8(int8: Int8Report) -> str:
    """The outcome of the quantization to int8."""
    if int8.rejection_reason:
        return f"Quantization to int8 was refused on {photos_of(int8.photos)}: {int8.rejection_reason}."
    fastest = min(int8.trials, key=lambda trial: trial.milliseconds)
    share = fastest.milliseconds / fastest.float_milliseconds
    speed = f"takes {share:.0%} of the time" if share < 1 else "is not faster"
    sizes = f"{int8.bytes / 1e6:.1f} MB instead of {int8.float_bytes / 1e6:.1f} MB"
    agreement = percent(min(trial.agreement for trial in int8.trials))
    return (
        f"The bundle has an int8 model of {sizes}. With {fastest.runtime} it {speed}, and {agreement} of "
        f"{photos_of(int8.photos)} get the same class. A predictor uses it with --precision int8."
    )


def describe_chance(calibration: Calibration | None) -> str:
    """How much of the calibration error chance explains; empty if little, or if it was not measured."""
    if calibration is None or calibration.ece_if_calibrated < calibration.ece / 4:
        return ""
    return (
        " On so few photos even a perfectly calibrated model would have an error of "
        f"{percent(calibration.ece_if_calibrated)} on average."
    )


def percent(value: float) -> str:
    """A share as a percentage, never rounded to a perfection or a nothing that it is not."""
    if 0 < value < 0.0005:
        return "under 0.1%"
    if 0.9995 <= value < 1:
        return "over 99.9%"
    return f"{100 * value:.1f}%"


def between(interval: Interval) -> str:
    """An interval of shares."""
    return f"{percent(interval[0])} to {percent(interval[1])}"


def photos_of(count: int) -> str:
    """A number of photos."""
    return "1 photo" if count == 1 else f"{count:,} photos"


def join_names(names: Sequence[str]) -> str:
    """Class names for a sentence, the rest counted if there are many."""
    if len(names) <= _MAX_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:_MAX_NAMES])} and {len(names) - _MAX_NAMES} more"


def bullets(lines: Iterable[str]) -> str:
    """Lines as a Markdown list. Names may hold anything, so that markup and line breaks are escaped."""
    return "\n".join(f"- {html.escape(' '.join(line.split()), quote=False)}" for line in lines)
