import pytest

from phytoflow.evaluation.compare.paired import PairedComparison
from phytoflow.evaluation.gate.champion import ChampionComparison
from phytoflow.evaluation.gate.conditions import Verdict, format_apart, judge
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.results import Metrics
from tests.support.metrics import example_metrics


def metrics(accuracy: float = 0.9, macro_f1: float = 0.9, latency: float | None = 10.0) -> Metrics:
    return example_metrics(accuracy=accuracy, macro_f1=macro_f1, cpu_latency_ms=latency)


def failed(verdict: Verdict) -> list[str]:
    return [condition.name for condition in verdict.conditions if not condition.passed]


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, []),
        ({"accuracy": 0.80, "macro_f1": 0.80, "latency": 50.0}, []),  # limits are inclusive
        ({"accuracy": 0.799}, ["accuracy"]),
        ({"macro_f1": 0.799}, ["macro_f1"]),
        ({"latency": 50.1}, ["latency_ms"]),
        ({"accuracy": float("nan"), "latency": float("nan")}, ["accuracy", "latency_ms"]),
        ({"accuracy": 0.5, "macro_f1": 0.4, "latency": 90.0}, ["accuracy", "macro_f1", "latency_ms"]),
    ],
)
def test_each_limit_holds(values: dict[str, float], names: list[str]) -> None:
    verdict = judge(metrics(**values), GateSettings())
    assert failed(verdict) == names
    assert verdict.passed == (not names)


def test_every_condition_reports_its_value_and_its_limit() -> None:
    verdict = judge(metrics(accuracy=0.71234), GateSettings(min_accuracy=0.85))
    assert "accuracy 0.712 (95% interval" in verdict.reason
    assert "is below 0.850" in verdict.reason
    assert "macro-F1" not in verdict.reason
    page = verdict.markdown()
    assert page.startswith("# The gate failed")
    assert page.count("\n- ") == 4
    assert "latency 10.0 ms per photo (CPU time on one core, decoding included) is at most 50.0 ms" in page
    assert "there is no champion" in page


def test_a_refusal_never_shows_two_equal_numbers() -> None:
    """Rounded, 0.79996 would read "0.800 is below 0.800"."""
    verdict = judge(metrics(accuracy=0.79996, latency=50.0004), GateSettings())
    assert "accuracy 0.79996 (" in verdict.reason and "is below 0.80000" in verdict.reason
    assert "latency 50.0004 ms" in verdict.reason and "is above 50.0000 ms" in verdict.reason
    assert format_apart(0.8, 0.8, 3) == ("0.800", "0.800")
    assert format_apart(0.01234, 50, 1) == ("0.0", "50.0")


def test_on_a_gpu_wall_clock_time_is_judged() -> None:
    verdict = judge(metrics(latency=None), GateSettings(max_latency_ms=9))
    assert failed(verdict) == ["latency_ms"]
    assert "10.0 ms per photo (median wall-clock time" in verdict.reason


def comparison(low: float, high: float, p_value: float = 0.01) -> ChampionComparison:
    paired = PairedComparison(
        photos=100,
        first=0.92,
        second=0.90,
        interval=(low, high),
        confidence_level=0.95,
        only_first=9,
        only_second=1,
        p_value=p_value,
    )
    return ChampionComparison("3", paired=paired)


def test_only_a_significantly_better_champion_stops_the_challenger() -> None:
    assert judge(metrics(), GateSettings(), comparison(-0.05, 0.01)).passed
    assert judge(metrics(), GateSettings(), comparison(-0.05, 0.0)).passed
    verdict = judge(metrics(), GateSettings(), comparison(-0.05, -0.001))
    assert failed(verdict) == ["champion"]
    assert verdict.reason.startswith("significantly worse than the champion (version 3)")
    assert "accuracy 0.900 against 0.920" in verdict.reason
    assert "95% interval -0.050 to -0.001" in verdict.reason
    assert "alone right on 1 against 9 photos (McNemar p = 0.01)" in verdict.reason
    assert judge(metrics(), GateSettings(compare_champion=False), comparison(-0.05, -0.001)).passed
    assert judge(metrics(), GateSettings(), comparison(-0.05, -0.001, p_value=0.06)).passed


def test_the_same_model_and_a_comparison_without_photos_pass_and_are_reported() -> None:
    same = judge(metrics(), GateSettings(), ChampionComparison("3", identical=True))
    assert same.passed
    assert "the same model as the champion (version 3)" in same.markdown()
    none = judge(metrics(), GateSettings(), ChampionComparison("3", seen=20))
    assert none.passed
    assert "not compared" in none.markdown()
    assert "20 photos left out" in none.markdown()
