"""The findings in words."""

from typing import get_args

from phytoflow.monitoring.accuracy import AccuracyEstimate, LabelledAccuracy
from phytoflow.monitoring.grades import Grade
from phytoflow.monitoring.observations import WATCHED
from phytoflow.monitoring.sentences import GRADES, WHAT, accuracy_sentence, value_words

ESTIMATE = AccuracyEstimate(
    photos=80, unknown_share=0.05, reference=0.95, thresholded=0.9, mean_confidence=0.88, error=0.03
)


def test_each_grade_and_each_value_has_words() -> None:
    assert set(GRADES) == set(get_args(Grade))
    assert set(WHAT) == {"class", *WATCHED}


def test_an_estimate_is_told_with_what_it_rests_on() -> None:
    text = accuracy_sentence(ESTIMATE)
    assert "Estimated accuracy 90.0%" in text and "80 photos" in text and "95.0%" in text
    labelled = LabelledAccuracy(photos=40, accuracy=0.85, low=0.71, high=0.93)
    told = accuracy_sentence(ESTIMATE.model_copy(update={"labelled": labelled}))
    assert "Of 40 photos that people labelled 85.0% were right (71.0% to 93.0%)" in told


def test_no_estimate_is_told_with_the_reason() -> None:
    nothing = ESTIMATE.model_copy(update={"thresholded": None, "unknown_share": 0.6})
    assert "cannot be told: 60% of the photos are unknown" in accuracy_sentence(nothing)
    assert accuracy_sentence(nothing.model_copy(update={"photos": 0})) == "No photos yet."


def test_every_sentence_can_be_translated() -> None:
    labelled = LabelledAccuracy(photos=40, accuracy=0.85, low=0.71, high=0.93)
    told = accuracy_sentence(ESTIMATE.model_copy(update={"labelled": labelled}), lambda text: f"[{text}]")
    assert told.startswith("[Estimated") and told.endswith("93.0%).]") and told.count("[") == 2
    words = value_words(lambda text: f"[{text}]")
    assert words["beyond"] == "[distance from all training photos]"
    assert words["component_2"] == "[principal component 2 of the features]"
