"""What an answer means, in a sentence that a person understands."""

from __future__ import annotations

from collections.abc import Callable

from serving.gateway.upstream.codec import PhotoResult

SURE, UNSURE = 0.9, 0.6  # calibrated confidence from which an answer is called likely, below which open

UNKNOWN = (
    "This does not look like the photos the model was trained on, so it gives no answer. Check that the "
    "photo shows one leaf, sharp and in daylight; if it does, it may show something the model does not know."
)
LIKELY = "This is most likely {label}. Of 100 photos answered like this one, about {n} are right."
PROBABLE = "This is probably {label}. Of 100 photos answered like this one, about {n} are right."
UNCERTAIN = (
    "This may be {label}, but the model is not sure: of 100 photos answered like this one, only about {n} "
    "are right. Take another photo or ask an expert."
)

Translate = Callable[[str], str]


def explain_answer(result: PhotoResult, translate: Translate = str) -> str:
    """The answer in one or two sentences.

    Confidence is calibrated, so it is said as a frequency: of so many photos answered like this one, how many
    are right.

    Args:
        result: The model's answer for one photo.
        translate: Translates a message of the catalogue.
    """
    label, right = readable(result.labels[0]), min(round(100 * result.scores[0]), 99)
    if result.known is False:
        return translate(UNKNOWN)
    text = LIKELY if result.scores[0] >= SURE else PROBABLE if result.scores[0] >= UNSURE else UNCERTAIN
    return translate(text).format(label=label, n=right)


def readable(label: str) -> str:
    """A class name without the underscores of its folder."""
    return " ".join(label.replace("___", ": ").replace("_", " ").split())
