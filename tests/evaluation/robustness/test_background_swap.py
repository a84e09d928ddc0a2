import numpy as np

from phytoflow.evaluation.robustness.background_swap import masked_photos, swap_background
from tests.evaluation.robustness.test_leaf_mask import SIZE, on_soil


def test_the_leaf_stays_and_the_background_is_blended_by_fifths() -> None:
    photo, leaf = on_soil(60)
    core, around = leaf.copy(), ~leaf
    y, x = np.mgrid[:SIZE, :SIZE] - 112
    core &= np.hypot(y, x) < 52
    around &= np.hypot(y, x) > 68
    changes = []
    for severity in (1, 2, 3, 4, 5):
        changed = swap_background(photo, leaf, severity, np.random.default_rng(7))
        assert np.abs(changed[core].astype(int) - photo[core]).max() <= 1
        changes.append(np.abs(changed[around].astype(float) - photo[around]).mean())
    assert np.allclose(np.array(changes) / changes[-1], [0.2, 0.4, 0.6, 0.8, 1], atol=0.03)
    other = swap_background(photo, leaf, 5, np.random.default_rng(8))
    assert np.abs(other[around].astype(float) - changed[around]).mean() > 10


def test_only_photos_with_a_plausible_leaf_are_taken() -> None:
    photo, leaf = on_soil(60)
    plain = np.full_like(photo, 120)
    found = masked_photos([plain, photo, plain])
    assert list(found) == [1]
    assert (found[1] & leaf).sum() / (found[1] | leaf).sum() > 0.9
