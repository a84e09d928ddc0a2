import json

import pytest

from phytoflow.evaluation.metrics.ood import ExternalOodMetrics, OodMetrics
from phytoflow.evaluation.robustness.schema import Robustness, WorstClass, WorstGroup
from phytoflow.evaluation.scalars import flatten_metrics
from tests.support.metrics import example_metrics, metrics_of, predictions_of

OOD = OodMetrics(
    method="energy",
    false_positive_rate=0.05,
    near=None,
    far=0.9,
    external=ExternalOodMetrics(photos=50, auroc=0.91, fpr95=0.2, accepted=0.1),
)
ROBUSTNESS = Robustness(
    photos=50,
    clean=0.9,
    accuracy={"blur": (0.9, 0.8, 0.7, 0.6, 0.5)},
    mean_corruption_error=0.3,
    worst_corruption="blur",
    worst_class=WorstClass(label="rust", accuracy=0.6),
    worst_group=WorstGroup(label="rust", corruption="blur", accuracy=0.6),
)


def test_a_name_is_the_path_in_metrics_json() -> None:
    metrics = example_metrics(39, 40, ood=OOD, robustness=ROBUSTNESS)
    scalars = flatten_metrics(metrics)
    assert scalars["test.accuracy"] == 39 / 40
    assert scalars["test.ood.external.auroc"] == 0.91
    assert scalars["test.intervals.accuracy.low"] == metrics.intervals["accuracy"][0]
    assert scalars["test.per_class.rust.f1_interval.high"] == metrics.per_class["rust"].f1_interval[1]  # type: ignore[index]
    assert scalars["test.robustness.accuracy.blur.4"] == 0.5
    assert scalars["test.robustness.worst_group.accuracy"] == 0.6
    assert scalars["test.photos"] == 40


def test_every_number_of_metrics_json_is_carried_but_curves_matrices_and_facts() -> None:
    metrics = example_metrics(39, 40, ood=OOD, robustness=ROBUSTNESS)
    tree = json.loads(metrics.model_dump_json())
    for name in ("confusion_matrix", "schema_version", "seed", "confidence_level"):
        tree.pop(name)

    def count(value: object) -> int:
        if isinstance(value, dict):
            return sum(map(count, value.values()))
        if isinstance(value, list):
            return sum(map(count, value))
        return isinstance(value, int | float)

    assert len(flatten_metrics(metrics)) == count(tree)


@pytest.mark.parametrize("name", ["error", "seed", "coverage", "interval", "confusion_matrix"])
def test_a_class_may_have_the_name_of_something_that_is_left_out(name: str) -> None:
    scalars = flatten_metrics(metrics_of(predictions_of([0, 1], [0, 1], (name, "b"))))
    assert scalars[f"test.per_class.{name}.f1"] == 1
