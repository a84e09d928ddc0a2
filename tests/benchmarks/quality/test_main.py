"""The table of default runs."""

from __future__ import annotations

from benchmarks.quality.__main__ import Result, ood_notes, row
from phytoflow.evaluation.metrics.ood import ExternalOodMetrics
from phytoflow.evaluation.results import Metrics
from tests.benchmarks.quality.test_pooled import answers
from tests.support.golden import BUNDLE


def metrics(**changes: object) -> Metrics:
    return Metrics.model_validate_json((BUNDLE / "metrics.json").read_text()).model_copy(update=changes)


def result(macro_f1: float, seconds: float) -> Result:
    predictions = answers([0.9], [True], "a", [0.0])
    return Result(metrics(macro_f1=macro_f1, accuracy=0.9, ece=0.02), predictions, seconds)


def test_a_row_has_means_the_lowest_f1_and_the_median_time() -> None:
    runs = [result(0.9, 100), result(0.8, 300), result(1.0, 110)]
    assert row("apples", runs) == "| apples | 0.900 (0.800) | 0.900 | 0.020 | 110 |"


def test_ood_photos_have_a_line_if_there_were_any() -> None:
    assert ood_notes("apples", [metrics()]) == []
    known = metrics().ood
    assert known is not None
    external = ExternalOodMetrics(photos=50, auroc=0.98, fpr95=0.1, accepted=0.05)
    (line,) = ood_notes("apples", [metrics(ood=known.model_copy(update={"external": external}))])
    assert line.endswith("0.980, 0.100, 0.050.")
