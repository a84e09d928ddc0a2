import pytest

from phytoflow.bundle.reports import Int8Report, Int8Trial
from phytoflow.evaluation.audit.leakage import LeakageAudit, SplitLeakage
from phytoflow.evaluation.external.schema import ExternalMetrics, MetricDrop
from phytoflow.evaluation.metrics.calibration import Calibration
from phytoflow.evaluation.metrics.selective import RiskCoverage
from phytoflow.evaluation.report.phrases import (
    bullets,
    describe_chance,
    describe_external,
    describe_int8,
    describe_leakage,
    describe_robustness,
    describe_selective,
    is_clearly_worse,
    join_names,
    percent,
)
from phytoflow.evaluation.robustness.schema import Robustness, WorstClass, WorstGroup


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0.0%"),
        (0.0004, "under 0.1%"),
        (0.0006, "0.1%"),
        (0.975, "97.5%"),
        (0.9994, "99.9%"),
        (0.9996, "over 99.9%"),
        (1, "100.0%"),
    ],
)
def test_a_percentage_is_neither_rounded_to_perfection_nor_to_nothing(share: float, text: str) -> None:
    assert percent(share) == text


def leakage(random: float, ours: float) -> str:
    def split(accuracy: float) -> SplitLeakage:
        return SplitLeakage(nearest=0.5, near=0, near_hash=0, accuracy=accuracy)

    return describe_leakage(LeakageAudit(photos=200, random=split(random), ours=split(ours)))


def test_a_random_split_is_blamed_only_if_it_looks_better() -> None:
    """The sample leaves: 37.5% under the random split, 47.5% under ours."""
    assert leakage(0.375, 0.475).endswith("a random split would not have looked better on these photos.")
    assert leakage(0.9, 0.6).endswith("a random split would have looked better than the model is.")
    assert "37.5%" in leakage(0.375, 0.475) and "47.5%" in leakage(0.375, 0.475)


def external(interval: tuple[float, float] | None, lost: float = 0.1) -> ExternalMetrics:
    drops = {"accuracy": MetricDrop(own=0.9, lost=lost, interval=interval)} if interval else {}
    return ExternalMetrics(
        name="orchard",
        photos=32,
        groups=32,
        trained_on=None,
        accuracy=0.9 - lost,
        macro_f1=0.8,
        intervals={"accuracy": (0.7, 0.9)},
        drops=drops,
        per_class={},
        folders={},
        left_out=(),
        unknown_rate=None,
    )


@pytest.mark.parametrize(
    ("metrics", "ending", "worse"),
    [
        (external((0.05, 0.15)), "a loss of 10.0% (likely 5.0% to 15.0%).", True),
        (external((0.01, 0.05), 0.03), "a loss of 3.0% (likely 1.0% to 5.0%).", False),
        (external((-0.02, 0.2)), "no significant difference.", False),
        (external((-0.2, -0.01), -0.1), "these photos are easier for it.", False),
        (external(None), "none of these classes to compare with.", False),
    ],
)
def test_a_loss_elsewhere_is_called_one_only_if_it_is(
    metrics: ExternalMetrics, ending: str, worse: bool
) -> None:
    assert describe_external(metrics).endswith(ending)
    assert is_clearly_worse(metrics) == worse


def robustness(clean: float, mean: float) -> str:
    return describe_robustness(
        Robustness(
            photos=50,
            clean=clean,
            accuracy={"blur": (mean,) * 5},
            mean_corruption_error=1 - mean,
            worst_corruption="blur",
            worst_class=WorstClass(label="rust", accuracy=mean),
            worst_group=WorstGroup(label="rust", corruption="blur", accuracy=mean),
        )
    )


def test_a_model_that_corruption_does_not_harm_has_no_worst_class() -> None:
    assert "Worst" not in robustness(0.98, 1.0)
    assert "Worst class: rust (70.0% right)" in robustness(0.98, 0.7)


def selective(reject_below: float | None, error: float) -> str:
    return describe_selective(
        RiskCoverage(
            coverage=(0.5, 1.0),
            error=(0.0, error),
            aurc=0.0,
            reject_below=reject_below,
            rejection_rate=0.1,
            selective_risk=error / 2,
            ece_uncalibrated=0.1,
        )
    )


def test_when_to_check_depends_on_whether_there_are_mistakes() -> None:
    assert "There was no mistake" in selective(None, 0.0)
    assert "some confident answers are wrong" in selective(None, 0.1)
    assert "less than 80.0% sure of (10.0% of the test photos), 5.0% of the remaining" in selective(0.8, 0.1)


def int8(milliseconds: float) -> str:
    trial = Int8Trial(
        runtime="onnx",
        accuracy=0.9,
        float_accuracy=0.9,
        agreement=0.99,
        known_agreement=None,
        max_difference=0.1,
        mean_difference=0.01,
        probe_difference=0.01,
        milliseconds=milliseconds,
        float_milliseconds=10,
    )
    report = Int8Report(rejection_reason="", recipe="", photos=9, bytes=1, float_bytes=4, trials=(trial,))
    return describe_int8(report)


def test_a_slower_int8_model_is_not_called_faster() -> None:
    assert "it takes 60% of the time" in int8(6)
    assert "it is not faster" in int8(12)


def test_chance_is_mentioned_where_it_explains_a_part() -> None:
    def text(expected: float) -> str:
        return describe_chance(
            Calibration(
                ece=0.04,
                interval=(0, 0.1),
                ece_if_calibrated=expected,
                ece_if_calibrated_p95=0.1,
                excess_ece=0,
                p_value=0.5,
            )
        )

    assert "an error of 3.0% on average" in text(0.03)
    assert text(0.001) == describe_chance(None) == ""


def test_long_lists_of_names_are_counted_and_markup_is_escaped() -> None:
    assert join_names(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
    assert bullets(["<b>x</b> & y\nz"]) == "- &lt;b&gt;x&lt;/b&gt; &amp; y z"
