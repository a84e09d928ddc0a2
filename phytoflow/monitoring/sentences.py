"""The monitor's findings in words."""

from __future__ import annotations

from phytoflow.monitoring.accuracy import MOST_UNKNOWN, AccuracyEstimate
from phytoflow.monitoring.grades import Grade
from phytoflow.monitoring.observations import LEADING

GRADES: dict[Grade, str] = {
    "none": "No drift: the photos are like those that the model was made for.",
    "ungraded": "Drift: too few photos since the change to say what it costs.",
    "harmless": "Harmless drift: the photos changed, the estimated accuracy did not.",
    "harmful": "Harmful drift: the photos changed, and the estimated accuracy fell.",
    "unfamiliar": (
        "Unfamiliar photos: they show other things, or are so bad that the model does not recognise its "
        "classes."
    ),
}
WHAT: dict[str, str] = {
    "class": "share of a class among the answers",
    "confidence": "confidence of the answers",
    "novelty": "novelty",
    "nearest_class": "distance to the nearest class",
    "beyond": "distance from all training photos",
    "length": "strength of the features",
} | {f"component_{i + 1}": f"principal component {i + 1} of the features" for i in range(LEADING)}


def accuracy_sentence(estimate: AccuracyEstimate) -> str:
    """The estimated accuracy, or why there is none."""
    if estimate.thresholded is None or estimate.mean_confidence is None:
        if not estimate.photos:
            return "No photos yet."
        return (
            f"The accuracy cannot be told: {estimate.unknown_share:.0%} of the photos are unknown, more than "
            f"{MOST_UNKNOWN:.0%} or all of them."
        )
    text = (
        f"Estimated accuracy {estimate.thresholded:.1%} (mean confidence {estimate.mean_confidence:.1%}) on "
        f"{estimate.photos} photos, {estimate.reference:.1%} on the reference; {estimate.unknown_share:.0%} "
        "of the photos are unknown and left out."
    )
    if estimate.labelled:
        labelled = estimate.labelled
        text += (
            f" Of {labelled.photos} photos that people labelled {labelled.accuracy:.1%} were right "
            f"({labelled.low:.1%} to {labelled.high:.1%})."
        )
    return text
