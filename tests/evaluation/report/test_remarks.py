import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoflow.evaluation.audit.background_bias import BackgroundBias
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.ood import ExternalOodMetrics, OodMetrics
from phytoflow.evaluation.report.remarks import headline, remarks, weakest_class
from phytoflow.evaluation.results import Metrics
from tests.support.metrics import example_metrics, metrics_of, predictions_of


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        (
            example_metrics(39, 40),
            "Right on 39 of 40 test photos; with so few, between 87% and 100% is likely.",
        ),
        (
            example_metrics(40, 40),
            "Right on all 40 test photos; with so few, between 91% and 100% is likely.",
        ),
        (
            example_metrics(4870, 5000),
            "Right on 4,870 of 5,000 test photos (97.4%; between 96.9% and 97.8% is likely).",
        ),
        (
            example_metrics(4999, 5000),
            "Right on 4,999 of 5,000 test photos (over 99.9%; 99.9% or more is likely).",
        ),
        (example_metrics(39, 40, trained_on=7), "Not a fair test: 7 of 40 photos were used in training."),
        (example_metrics(39, 40, trained_on=1), "Not a fair test: 1 of 40 photos was used in training."),
    ],
)
def test_the_headline_counts_honestly(metrics: Metrics, text: str) -> None:
    shortened = re.sub(r"\.\d%", "%", headline(metrics))
    assert shortened == re.sub(r"\.\d%", "%", text) or headline(metrics) == text


def test_many_photos_of_few_leaves_are_few() -> None:
    groups = [f"leaf {number // 40}" for number in range(400)]
    wrong = [int(number // 40 == 3) for number in range(400)]
    metrics = metrics_of(predictions_of([0] * 400, wrong, ("a", "b"), groups=groups))
    assert ", of 10 separate leaves or plants; with so few, between" in headline(metrics)


@settings(max_examples=60, deadline=None)
@given(right=st.integers(1, 40), photos=st.integers(1, 40))
def test_the_counts_in_the_headline_are_those_of_the_photos(right: int, photos: int) -> None:
    right = min(right, photos)
    text = headline(example_metrics(right, photos))
    count = f"all {photos}" if right == photos else f"{right} of {photos}"
    assert text.startswith(f"Right on {count} test photos")
    low, high = (int(end) for end in re.findall(r"(\d+)%", text)[-2:])
    assert low <= 100 * right / photos + 0.5 and 100 * right / photos - 0.5 <= high
    assert "100 photos" not in text  # never a number of photos that were not tested


def calibration(ece: float, p_value: float) -> Calibration:
    return Calibration(
        ece=ece,
        interval=(0, 0.2),
        ece_if_calibrated=0.06,
        ece_if_calibrated_p95=0.1,
        excess_ece=0,
        p_value=p_value,
    )


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"ece": 0.02}, "Its confidence can be taken literally: it is off by 2.0%"),
        ({"ece": 0.1, "mean_confidence": 0.99}, "It is overconfident: its mean confidence is 99.0%"),
        ({"ece": 0.1, "mean_confidence": 0.8}, "It is more careful than necessary"),
        ({"ece": 0.1, "mean_confidence": 0.9}, "too high for some photos and too low for others"),
        (
            {"ece": 0.08, "calibration": calibration(0.08, 0.4), "mean_confidence": 0.98},
            "no more than chance explains",
        ),
    ],
)
def test_confidence_is_described_by_its_error_and_its_direction(changes: dict, text: str) -> None:
    assert any(text in remark for remark in remarks(example_metrics(36, 40, **changes)))


def test_the_most_frequent_mistake_is_called_that_only_if_there_is_one() -> None:
    one = metrics_of(predictions_of([0, 0, 0, 1, 1], [1, 1, 0, 1, 0], ("a", "b")))
    tie = metrics_of(predictions_of([0, 0, 1, 1], [1, 0, 1, 0], ("a", "b")))
    assert "Most frequent mistake: a taken for b (2 photos)" in " ".join(remarks(one))
    assert "One of the most frequent mistakes" in " ".join(remarks(tie))
    none = metrics_of(predictions_of([0, 1], [0, 1], ("a", "b")))
    assert "mistake" not in " ".join(remarks(none))


def test_a_revealing_background_comes_first() -> None:
    bias = BackgroundBias(chance=0.2, eight_pixels=0.3, border=0.9, masked=0.4, photos=200)
    assert remarks(example_metrics(background_bias=bias))[0].startswith(
        "Warning: the classes can be told apart without the leaf. From a thin frame around it alone"
    )
    harmless = BackgroundBias(chance=0.2, eight_pixels=0.22, border=0.21, masked=0.2, photos=200)
    assert not any("Warning" in remark for remark in remarks(example_metrics(background_bias=harmless)))


def test_ood_detection_is_described_with_its_false_positives() -> None:
    external = ExternalOodMetrics(photos=50, auroc=0.9, fpr95=0.2, accepted=0.1)
    ood = OodMetrics(method="energy", false_positive_rate=0.05, near=None, far=0.9, external=external)
    text = " ".join(remarks(example_metrics(ood=ood)))
    assert "which all show known classes, 5.0% were called unknown" in text
    assert "Of 50 photos of something else, 90.0% were detected." in text
    assert "It gives every photo one of its classes" in " ".join(remarks(example_metrics()))


def test_the_weakest_class_is_one_that_was_tested() -> None:
    metrics = metrics_of(predictions_of([0, 0, 1, 1], [0, 0, 1, 0], ("a", "b", "absent")))
    assert weakest_class(metrics)[0] == "b"
    assert "Not tested at all, because there are no test photos: absent." in remarks(metrics)
