import numpy as np
import pytest

from phytoflow.data.synthetic.leaf import draw_leaf, light_leaf, paint_leaf

SHAPE = (240, 300)


@pytest.mark.parametrize("seed", range(12))
def test_a_leaf_fills_a_good_part_of_the_photo(seed: int) -> None:
    leaf = draw_leaf(np.random.default_rng(seed), SHAPE)
    assert leaf.cover.shape == SHAPE
    assert 0.1 < leaf.cover.mean() < 0.7
    assert 0.8 * min(SHAPE) < leaf.length < 1.1 * min(SHAPE)
    for values in (leaf.cover, leaf.veins, leaf.stalk):
        assert values.min() >= 0 and values.max() <= 1
    assert ((leaf.depth > 0.5) == (leaf.cover == 1)).all(), "inside is where the margin is far enough"


def test_the_edge_is_smooth() -> None:
    leaf = draw_leaf(np.random.default_rng(1), SHAPE)
    partly = (leaf.cover > 0.02) & (leaf.cover < 0.98)
    assert partly.sum() > 100


def test_leaves_are_green_and_differ() -> None:
    colours = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        leaf = draw_leaf(rng, SHAPE)
        surface = light_leaf(rng, leaf, paint_leaf(rng, leaf))
        assert surface.shape == (*SHAPE, 3)
        colours.append(surface[leaf.depth > 3].mean(axis=0))
    red, green, blue = np.array(colours).T
    assert (green > blue).all() and (green > 0.9 * red).all()
    assert np.ptp(green) > 0.1
