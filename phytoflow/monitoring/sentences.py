"""The monitor's findings in words."""

from __future__ import annotations

from collections.abc import Callable

from phytoflow.monitoring.accuracy import MOST_UNKNOWN, AccuracyEstimate, LabelledAccuracy
from phytoflow.monitoring.grades import Grade
from phytoflow.ood.feature_statistics import AXES

GRADES: dict[Grade, str] = {
    "none": "No drift found so far: the photos are like those that the model was made for.",
    "ungraded": "Drift: too few photos since the change to say what it costs.",
    "harmless": "Harmless drift: the photos changed, the estimated accuracy did not.",
    "harmful": "Harmful drift: the photos changed, and the estimated accuracy fell.",
    "unfamiliar": (
        "Unfamiliar photos: they show other things, or are so bad that the model does not recognise its "
        "classes."
    ),
}
VALUES: dict[str, str] = {
    "class": "share of a class among the answers",
    "confidence": "confidence of the answers",
    "novelty": "novelty",
    "nearest_class": "distance to the nearest class",
    "beyond": "distance from all training photos",
    "length": "strength of the features",
}
COMPONENT = "principal component {n} of the features"
NO_PHOTOS = "No photos yet."
NO_ESTIMATE = (
    "The accuracy cannot be told: {unknown} of the photos are unknown, more than {most} or all of them."
)
ESTIMATE = (
    "Estimated accuracy {estimate} (mean confidence {confidence}) on {photos} photos, {reference} on the "
    "reference; {unknown} of the photos are unknown and left out."
)
LABELLED = "Of {photos} photos that people labelled {accuracy} were right ({low} to {high})."

Translate = Callable[[str], str]


def value_words(translate: Translate = str) -> dict[str, str]:
    """Words for each watched value and for the class."""
    components = {f"component_{i + 1}": translate(COMPONENT).format(n=i + 1) for i in range(AXES)}
    return {name: translate(words) for name, words in VALUES.items()} | components


WHAT = value_words()


def accuracy_sentence(estimate: AccuracyEstimate, translate: Translate = str) -> str:
    """The estimated accuracy, or why there is none.

    Args:
        estimate: The estimate.
        translate: Translates a message of the catalogue.
    """
    unknown = f"{estimate.unknown_share:.0%}"
    if estimate.thresholded is None or estimate.mean_confidence is None:
        if not estimate.photos:
            return translate(NO_PHOTOS)
        return translate(NO_ESTIMATE).format(unknown=unknown, most=f"{MOST_UNKNOWN:.0%}")
    text = translate(ESTIMATE).format(
        estimate=f"{estimate.thresholded:.1%}",
        confidence=f"{estimate.mean_confidence:.1%}",
        photos=estimate.photos,
        reference=f"{estimate.reference:.1%}",
        unknown=unknown,
    )
    return f"{text} {_labelled(estimate.labelled, translate)}" if estimate.labelled else text


def _labelled(labelled: LabelledAccuracy, translate: Translate) -> str:
    accuracy, low, high = (f"{share:.1%}" for share in (labelled.accuracy, labelled.low, labelled.high))
    return translate(LABELLED).format(photos=labelled.photos, accuracy=accuracy, low=low, high=high)
