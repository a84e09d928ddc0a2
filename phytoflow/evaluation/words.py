"""The figures in plain words, for a reader who knows plants and not statistics."""

from __future__ import annotations

from phytoflow.evaluation.calibration import Calibration
from phytoflow.evaluation.field_figures import FieldFigures
from phytoflow.evaluation.intervals import Interval
from phytoflow.evaluation.leaks import LeakAudit
from phytoflow.evaluation.metrics import ClassMetrics, Metrics
from phytoflow.evaluation.robustness import Robustness
from phytoflow.evaluation.selective import Selective
from phytoflow.models.bundle import Int8

FEW_GROUPS = 10  # of a class: below it one leaf moves the figure by more than a tenth
_GAP = 0.05
_WEAK = 0.8


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
    found = [
        _background(metrics),
        _elsewhere(metrics),
        _weakest(metrics),
        _confidence(metrics),
        _few(metrics),
        _absent(metrics),
    ]
    found += [_unreadable(metrics), _strangers(metrics)]
    if metrics.field is None:
        found.append("Photos taken with other cameras, places or seasons than these can be harder.")
    return [text for text in found if text]


def not_for(metrics: Metrics) -> list[str]:
    """What nobody should use the model for, by what was found."""
    said = ["Spraying, felling or selling without a person who knows plants looking first."]
    if metrics.field and _worse(metrics.field):
        right = percent(metrics.field.accuracy)
        said.append(f"Photos like those of “{metrics.field.name}”: it is right on {right} of them only.")
    if metrics.background and metrics.background.gives_away:
        said.append("Photos from other cameras or places: it may be naming the background, not the disease.")
    else:
        said.append("Photos from cameras, places or seasons it was not tested on, before a test there.")
    if metrics.open_set is None:
        said.append("Photos that may show something else: it gives those a class, too.")
    weak = [name for name, row in metrics.per_class.items() if row.support and row.f1 < _WEAK]
    few = [name for name, row in metrics.per_class.items() if row.groups < FEW_GROUPS]
    if weak:
        said.append(f"Deciding about {', '.join(weak)}: too often wrong there.")
    if few:
        said.append(f"Deciding about {', '.join(few)}: tested on too few leaves or plants to know.")
    return said


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
    return (
        f"If a person looks at the photos it is less than {percent(selective.ask_below)} sure of "
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
        f" On the {_photos(change.photos)} whose leaf can be told from what lies behind it, it is right on "
        f"{percent(change.clean)}, and on {percent(change.accuracy[-1])} once soil, sky, cloth or grass is "
        "put behind the leaf instead."
    )


def field(found: FieldFigures) -> str:
    """What other places, cameras or seasons cost."""
    drop = found.drops.get("accuracy")
    text = (
        f"On {_photos(found.photos)} from “{found.name}” it is right on {percent(found.accuracy)} "
        f"(likely {between(found.intervals['accuracy'])})"
    )
    if drop is None:
        return f"{text}; its own test photos show none of these classes to compare with."
    text += f", on its own test photos of the same classes on {percent(drop.own)}"
    if not drop.clear:
        return f"{text}: no difference that chance could not make."
    low, high = (percent(max(0.0, end)) for end in drop.interval)
    return f"{text}: {percent(drop.lost)} are lost there (likely {low} to {high})."


def _elsewhere(metrics: Metrics) -> str:
    there = metrics.field
    if there is None:
        return ""
    text = ("Warning: " if _worse(there) else "") + field(there)
    if there.trained_on:
        text += f" {_photos(there.trained_on)} of them were used in training, so the true figure is lower."
    return text


def _worse(there: FieldFigures) -> bool:
    """Whether the photos there are clearly harder, by more than a little."""
    drop = there.drops.get("accuracy")
    return drop is not None and drop.clear and drop.lost > _GAP


def int8(found: Int8) -> str:
    """What came of the smaller, faster form."""
    if found.refused:
        return f"An int8 form was tried on {_photos(found.photos)} and refused: {found.refused}."
    best = min(found.trials, key=lambda trial: trial.milliseconds)
    sizes = f"{found.bytes / 1e6:.1f} MB instead of {found.float_bytes / 1e6:.1f}"
    return (
        f"The bundle has an int8 form of {sizes}; "
        f"{best.runtime} takes {best.milliseconds / best.float_milliseconds:.0%} of the time with it, and "
        f"{percent(min(trial.agreement for trial in found.trials))} of {_photos(found.photos)} were given "
        f"the same class. A predictor takes it where asked to (--precision int8)."
    )


def _background(metrics: Metrics) -> str:
    """The warning that a high figure may have nothing to do with leaves."""
    probe = metrics.background
    if probe is None or not probe.gives_away:
        return ""
    best, where = max(
        (probe.eight_pixels, "eight pixels of its border"),
        (probe.border, "a thin frame around it"),
        (probe.masked, "its surroundings, the middle painted over"),
    )
    return (
        f"Warning: the classes can be told apart without the leaf. From {where} alone, a photo's class is "
        f"named rightly {percent(best)} of the time (guessing: {percent(probe.chance)}). Camera, light or "
        "background differ between the classes, and the model may have learnt that instead of the disease: "
        "do not trust these figures for photos taken elsewhere."
    )


def _strangers(metrics: Metrics) -> str:
    """What it does with a photo of something else."""
    figures = metrics.open_set
    if figures is None:
        return "It gives every photo one of its classes, also one that shows something else."
    text = (
        "It says “unknown” to a photo unlike those it was trained on; "
        f"{percent(figures.refused)} of these test photos, which are known, were refused so."
    )
    if (strange := figures.strangers) is None:
        return text
    noticed = percent(1 - strange.accepted)
    return f"{text} Of {_photos(strange.photos)} of something else, {noticed} were noticed."


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
        said = f"Its confidence can be taken at its word: on average it is off by {percent(metrics.ece)}."
        return said + by_chance(metrics.calibration)
    way = "surer than it should be" if mean > metrics.accuracy else "more careful than it need be"
    claims = f"it claims {percent(mean)} on average and is right {percent(metrics.accuracy)} of the time"
    return f"It is {way}: {claims}."


def by_chance(found: Calibration | None) -> str:
    """How much of the calibration error is for want of photos; empty where little is, or not known."""
    if found is None or found.by_chance < found.ece / 4:
        return ""
    return f" On so few photos flawless confidence would seem off by {percent(found.by_chance)}, by chance."


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
