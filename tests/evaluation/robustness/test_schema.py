import pytest

from phytoflow.evaluation.robustness.schema import Robustness, WorstClass, WorstGroup


@pytest.mark.parametrize(("clean", "mean", "lost"), [(0.9, 0.7, 0.2), (0.9, 0.95, -0.05), (1.0, 1.0, 0.0)])
def test_the_loss_is_relative_to_unchanged_photos(clean: float, mean: float, lost: float) -> None:
    robustness = Robustness(
        photos=50,
        clean=clean,
        accuracy={"blur": (mean,) * 5},
        mean_corruption_error=1 - mean,
        worst_corruption="blur",
        worst_class=WorstClass(label="rust", accuracy=mean),
        worst_group=WorstGroup(label="rust", corruption="blur", accuracy=mean),
    )
    assert robustness.lost == pytest.approx(lost)
