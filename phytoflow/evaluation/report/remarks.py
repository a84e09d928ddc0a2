"""What a run's figures mean as a whole: the headline, what to know, what not to use the model for."""

from __future__ import annotations

from phytoflow.evaluation.metrics.classification import ClassMetrics
from phytoflow.evaluation.report import phrases as words
from phytoflow.evaluation.report.phrases import percent, photos_of
from phytoflow.evaluation.results import Metrics

FEW_GROUPS = 10  # of a class: below it one leaf moves the figure by more than a tenth
_WEAK = 0.8
_LET_IN = 0.1  # of the strangers


def verdict(metrics: Metrics) -> str:
    """The headline: how often it is right, as a whole number of 100 photos."""
    hundredths = round(100 * metrics.accuracy)
    if metrics.trained_on:
        return f"Not a fair test: {metrics.trained_on} of {photos_of(metrics.photos)} were used in training."
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
    if metrics.field and words.clearly_worse(metrics.field):
        right = percent(metrics.field.accuracy)
        said.append(f"Photos like those of “{metrics.field.name}”: it is right on {right} of them only.")
    if metrics.background and metrics.background.gives_away:
        said.append("Photos from other cameras or places: it may be naming the background, not the disease.")
    else:
        said.append("Photos from cameras, places or seasons it was not tested on, before a test there.")
    if metrics.open_set is None:
        said.append("Photos that may show something else: it gives those a class, too.")
    elif (strange := metrics.open_set.strangers) and strange.accepted > _LET_IN:
        of = f"{percent(strange.accepted)} of {photos_of(strange.photos)} of something else"
        said.append(f"Photos that may show something else: it gave {of} one of its classes.")
    weak = [name for name, row in metrics.per_class.items() if row.support and row.f1 < _WEAK]
    few = [name for name, row in metrics.per_class.items() if row.groups < FEW_GROUPS]
    if weak:
        said.append(f"Deciding about {', '.join(weak)}: too often wrong there.")
    if few:
        said.append(f"Deciding about {', '.join(few)}: tested on too few leaves or plants to know.")
    return said


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


def _elsewhere(metrics: Metrics) -> str:
    there = metrics.field
    if there is None:
        return ""
    text = ("Warning: " if words.clearly_worse(there) else "") + words.field(there)
    if there.trained_on:
        text += f" {photos_of(there.trained_on)} of them were used in training, so the true figure is lower."
    return text


def _weakest(metrics: Metrics) -> str:
    mistakes = confusions(metrics)
    if not mistakes:
        return ""
    count, label, given = mistakes[0]
    name, figures = weakest_class(metrics)
    return (
        f"Weakest on {name}: it finds {percent(figures.recall)} of these photos, and when it says {name} it "
        f"is right {percent(figures.precision)} of the time. Most frequent mistake: {label} taken for "
        f"{given} ({photos_of(count)})."
    )


def _confidence(metrics: Metrics) -> str:
    mean = metrics.mean_confidence
    if metrics.ece <= words.GAP:
        said = f"Its confidence can be taken at its word: on average it is off by {percent(metrics.ece)}."
        return said + words.by_chance(metrics.calibration)
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
        f"{photos_of(count)} could not be read and {'is' if count == 1 else 'are'} not counted."
        if count
        else ""
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
    return f"{text} Of {photos_of(strange.photos)} of something else, {noticed} were noticed."
