import numpy as np
import pytest

from phytoflow.data.synthetic.leaf import Leaf, draw_leaf, paint_leaf
from phytoflow.data.synthetic.lesions import LESIONS

SHAPE = (240, 240)


def changed(label: str, seed: int) -> tuple[Leaf, np.ndarray]:
    """A leaf and how much each pixel of it changed."""
    rng = np.random.default_rng(seed)
    leaf = draw_leaf(rng, SHAPE)
    surface = paint_leaf(rng, leaf)
    return leaf, np.abs(LESIONS[label](rng, leaf, surface) - surface).max(axis=-1)


def test_a_healthy_leaf_is_left_as_it_is() -> None:
    assert changed("healthy", 0)[1].max() == 0


@pytest.mark.parametrize("label", ["rust", "scab", "blight", "mosaic"])
@pytest.mark.parametrize("seed", range(5))
def test_a_disease_changes_part_of_the_leaf(label: str, seed: int) -> None:
    leaf, change = changed(label, seed)
    share = float((change[leaf.depth > 0] > 0.05).mean())
    assert 0.02 < share < 0.98


def test_rust_is_many_spots_and_blight_few() -> None:
    """Spots are counted by where a row of pixels enters one."""

    def borders(label: str) -> float:
        counts = []
        for seed in range(6):
            leaf, change = changed(label, seed)
            spots = (change > 0.08) & (leaf.depth > 0)
            counts.append(np.abs(np.diff(spots.astype(int), axis=1)).sum() / max(1, spots.sum()))
        return float(np.mean(counts))

    assert borders("rust") > 2 * borders("blight")
