from benchmarks.robustness.__main__ import Result, table
from phytoflow.evaluation.robustness.schema import Robustness, WorstClass, WorstGroup


def measured(clean: float, blur: float, noise: float) -> Result:
    found = Robustness(
        photos=50,
        clean=clean,
        accuracy={"blur": (blur,) * 5, "noise": (noise,) * 5},
        mean_corruption_error=1 - (blur + noise) / 2,
        worst_corruption="blur",
        worst_class=WorstClass(label="rust", accuracy=blur),
        worst_group=WorstGroup(label="rust", corruption="blur", accuracy=blur),
    )
    return Result(clean, found, 1.0)


def test_the_table_gives_means_over_seeds_and_what_is_saved() -> None:
    light = [measured(1.0, 0.8, 0.9), measured(0.9, 0.7, 0.8)]
    outdoor = [measured(0.98, 0.9, 0.92), measured(0.9, 0.84, 0.86)]
    text = "\n".join(table(light, outdoor))
    assert "| clean accuracy | 0.950 | 0.940 |" in text
    assert "| blur | 0.750 | 0.870 | 0.75 0.75 0.75 0.75 0.75 | 0.87" in text
    assert "| accuracy lost | 0.150 | 0.060 |" in text
    assert "outdoor loses 60% less to corruption than light, clean -0.010" in text
