"""What differs between runs."""

from __future__ import annotations

from phytoflow.tracking.compare.comparison import compare_runs
from tests.support.run_records import run_record


def test_only_settings_that_differ_are_shown() -> None:
    one = run_record("one", parameters={"seed": "0", "training.dropout": "0.2"})
    two = run_record("two", parameters={"seed": "0", "training.dropout": "0.4", "model.head": "mlp"})
    assert compare_runs([one, two]).settings == {
        "model.head": ("–", "mlp"),
        "training.dropout": ("0.2", "0.4"),
    }


def test_figures_have_their_intervals_and_absent_ones_are_none() -> None:
    one = run_record(
        "one",
        {"test.accuracy": 0.9, "test.intervals.accuracy.low": 0.8, "test.intervals.accuracy.high": 0.95},
    )
    two = run_record("two", {"test.accuracy": 0.7, "test.ece": 0.1})
    accuracy, ece = compare_runs([one, two]).figures
    assert accuracy.name == "Accuracy" and accuracy.values == (0.9, 0.7)
    assert accuracy.intervals == ((0.8, 0.95), None) and ece.values == (None, 0.1)


def test_the_class_that_differs_most_comes_first() -> None:
    one = run_record("one", {"test.per_class.rust.f1": 0.9, "test.per_class.scab.f1": 0.5})
    two = run_record("two", {"test.per_class.rust.f1": 0.8, "test.per_class.scab.f1": 0.9})
    assert [figure.name for figure in compare_runs([one, two]).classes] == ["scab", "rust"]


def test_cost_curves_and_the_photos_of_the_test() -> None:
    one = run_record("one", {"test.mean_latency_ms": 8, "test.photos": 40}, curves={"train/loss": [(0, 1.0)]})
    two = run_record("two", {"test.photos": 41}, seconds=None)
    comparison = compare_runs([one, two])
    duration, latency = comparison.cost
    assert duration.values == (60.0, None) and latency.values == (8, None)
    assert comparison.curves == ("train/loss",) and not comparison.same_test
    assert compare_runs([one, one]).same_test
    assert compare_runs([one, run_record("still training")]).same_test


def test_figures_of_classes_have_their_intervals() -> None:
    interval = {"test.per_class.rust.f1_interval.low": 0.7, "test.per_class.rust.f1_interval.high": 0.95}
    run = run_record("one", {"test.per_class.rust.f1": 0.9} | interval)
    (rust,) = compare_runs([run, run]).classes
    assert rust.name == "rust" and rust.intervals == ((0.7, 0.95), (0.7, 0.95))
