import numpy as np

from phytoflow.data.synthetic.backgrounds import draw_background


def test_backgrounds_have_the_size_asked_for_and_differ() -> None:
    means = []
    for seed in range(24):
        image = draw_background(np.random.default_rng(seed), (90, 140))
        assert image.shape == (90, 140, 3)
        assert np.isfinite(image).all()
        assert image.std() > 0.005, "no plain colour"
        means.append(image.mean(axis=(0, 1)))
    assert np.array(means).std(axis=0).min() > 0.08


def test_the_same_numbers_draw_the_same_background() -> None:
    one, other = (draw_background(np.random.default_rng(3), (40, 50)) for _ in range(2))
    assert np.array_equal(one, other)
