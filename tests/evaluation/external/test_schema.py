import pytest

from phytoflow.evaluation.external.schema import MetricDrop


@pytest.mark.parametrize(
    ("interval", "significant", "gain"),
    [
        ((0.01, 0.2), True, False),
        ((-0.1, 0.2), False, False),
        ((-0.2, -0.01), False, True),
        ((0.0, 0.1), False, False),
    ],
)
def test_a_drop_is_significant_if_its_interval_excludes_zero(
    interval: tuple[float, float], significant: bool, gain: bool
) -> None:
    drop = MetricDrop(own=0.9, lost=0.1, interval=interval)
    assert (drop.significant, drop.significant_gain) == (significant, gain)
