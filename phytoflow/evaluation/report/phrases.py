"""Single findings in plain words, for a reader who knows plants and not statistics."""

from __future__ import annotations

from phytoflow.bundle.reports import Int8Report
from phytoflow.evaluation.audit.leakage import LeakAudit
from phytoflow.evaluation.external.schema import FieldFigures
from phytoflow.evaluation.metrics.bootstrap import Interval
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.selective import Selective
from phytoflow.evaluation.robustness.benchmark import Robustness

GAP = 0.05
"""Differences of shares up to this are called small."""


def leaks(audit: LeakAudit) -> str:
    """What a random split would have hidden."""
    random, ours = audit.random, audit.ours
    return (
        f"Split at random, the photo most similar to a test photo would be one it was trained on for "
        f"{percent(random.nearest)} of them; under the split used here, which keeps shots of one thing "
        f"together, for {percent(ours.nearest)}. A simple probe, which copies the label of the most similar "
        f"training photo, is right on {percent(random.accuracy)} of the test photos under the random split "
        f"and on {percent(ours.accuracy)} under this one: the difference is what a random split makes up."
    )


def ask(selective: Selective) -> str:
    """When a person should look."""
    if selective.ask_below is None:
        if selective.error[-1] == 0:
            return "There was no mistake on these photos: they cannot tell when to ask a person."
        return "Its mistakes were among its surest answers: its confidence does not say when to ask a person."
    unknown = "it calls unknown and those " if selective.unknown else ""
    return (
        f"If a person looks at the photos {unknown}it is less than {percent(selective.ask_below)} sure of "
        f"({percent(selective.asked)} of these), {percent(selective.error_kept)} of the other answers are "
        f"wrong, instead of {percent(selective.error[-1])} of all."
    )


def robustness(found: Robustness) -> str:
    """What bad photos cost."""
    return (
        f"On {found.photos} test photos made worse in {len(found.accuracy)} ways, five strengths each, it is "
        f"right on {percent(1 - found.mean_corruption_error)} on average, instead of {percent(found.clean)}. "
        f"Worst is {found.worst_corruption}; {found.worst_class[0]} suffers most "
        f"({percent(found.worst_class[1])} right). Worst of all: {found.worst_group[0]} under "
        f"{found.worst_group[1]} ({percent(found.worst_group[2])})." + _other_background(found)
    )


def _other_background(found: Robustness) -> str:
    change = found.background
    if change is None:
        return ""
    return (
        f" On the {photos_of(change.photos)} whose leaf can be told from what lies behind it, it is right on "
        f"{percent(change.clean)}, and on {percent(change.accuracy[-1])} once soil, sky, cloth or grass is "
        "put behind the leaf instead."
    )


def field(found: FieldFigures) -> str:
    """What other places, cameras or seasons cost."""
    drop = found.drops.get("accuracy")
    text = (
        f"On {photos_of(found.photos)} from “{found.name}” it is right on {percent(found.accuracy)} "
        f"(likely {between(found.intervals['accuracy'])})"
    )
    if drop is None:
        return f"{text}; its own test photos show none of these classes to compare with."
    text += f", on its own test photos of the same classes on {percent(drop.own)}"
    if not drop.clear:
        return f"{text}: no difference that chance could not make."
    low, high = (percent(max(0.0, end)) for end in drop.interval)
    return f"{text}: {percent(drop.lost)} are lost there (likely {low} to {high})."


def clearly_worse(there: FieldFigures) -> bool:
    """Whether the photos there are clearly harder, by more than a little."""
    drop = there.drops.get("accuracy")
    return drop is not None and drop.clear and drop.lost > GAP


def int8(found: Int8Report) -> str:
    """What came of the smaller, faster form."""
    if found.rejection_reason:
        return f"An int8 form was tried on {photos_of(found.photos)} and refused: {found.rejection_reason}."
    best = min(found.trials, key=lambda trial: trial.milliseconds)
    sizes = f"{found.bytes / 1e6:.1f} MB instead of {found.float_bytes / 1e6:.1f}"
    return (
        f"The bundle has an int8 form of {sizes}; "
        f"{best.runtime} takes {best.milliseconds / best.float_milliseconds:.0%} of the time with it, and "
        f"{percent(min(trial.agreement for trial in found.trials))} of {photos_of(found.photos)} were given "
        f"the same class. A predictor takes it where asked to (--precision int8)."
    )


def by_chance(found: Calibration | None) -> str:
    """How much of the calibration error is for want of photos; empty where little is, or not known."""
    if found is None or found.by_chance < found.ece / 4:
        return ""
    return f" On so few photos flawless confidence would seem off by {percent(found.by_chance)}, by chance."


def percent(value: float) -> str:
    """A share in per cent, never rounded up to a perfection that is none."""
    if 0.9995 <= value < 1:
        return "99.9%"
    return f"{100 * value:.1f}%"


def between(interval: Interval) -> str:
    """An interval of shares."""
    return f"{percent(interval[0])} to {percent(interval[1])}"


def photos_of(count: int) -> str:
    """A number of photos."""
    return "1 photo" if count == 1 else f"{count} photos"
