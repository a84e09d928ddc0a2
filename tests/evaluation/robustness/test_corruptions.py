import numpy as np
import pytest

from phytoflow.evaluation.robustness.corruptions import CORRUPTIONS, SEVERITIES


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_severity_changes_more(name: str, texture: np.ndarray) -> None:
    photo = texture[:128, :128]
    changes = []
    for severity in SEVERITIES:
        corrupted = [CORRUPTIONS[name](photo, severity, np.random.default_rng(seed)) for seed in range(12)]
        assert all(c.shape == photo.shape and c.dtype == np.uint8 for c in corrupted)
        changes.append(np.mean([np.abs(c.astype(float) - photo).mean() for c in corrupted]))
    assert changes[0] > 0
    assert changes[-1] > changes[0]


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_the_same_generator_gives_the_same_corruption(name: str, texture: np.ndarray) -> None:
    one, two = (CORRUPTIONS[name](texture[:64, :64], 3, np.random.default_rng(7)) for _ in range(2))
    assert (one == two).all()
