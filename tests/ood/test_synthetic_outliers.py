"""Synthetic outliers are varied and reproducible."""

import pytest

from phytoflow.ood.synthetic_outliers import synthetic_outliers


def test_they_differ_from_each_other_and_follow_from_the_seed() -> None:
    pictures = synthetic_outliers(10, 32, seed=0)
    assert {picture.shape for picture in pictures} == {(32, 32, 3)}
    assert len({picture.tobytes() for picture in pictures}) == 10
    assert pictures[4].std(axis=(0, 1)) == pytest.approx(0)  # every fifth is one plain colour
    assert (synthetic_outliers(3, 32, seed=0)[0] == pictures[0]).all()
    assert (synthetic_outliers(3, 32, seed=1)[0] != pictures[0]).any()
