import colorsys

import numpy as np
import pytest

from phytoflow.data.synthetic.drawing import colour, fractal, mix, noise, smoothstep


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_noise_has_bumps_of_the_size_asked_for() -> None:
    fine, coarse = (noise(rng(), (200, 200), cell) for cell in (5, 40))
    assert fine.shape == coarse.shape == (200, 200)
    steps = [float(np.abs(np.diff(values, axis=1)).mean()) for values in (fine, coarse)]
    assert steps[0] > 4 * steps[1]
    assert 0.3 < fine.std() < 1.2


def test_noise_can_be_stretched() -> None:
    tall = noise(rng(), (240, 240), 6, aspect=8)
    down, across = (float(np.abs(np.diff(tall, axis=axis)).mean()) for axis in (0, 1))
    assert across > 4 * down


def test_fractal_noise_adds_finer_detail() -> None:
    plain, detailed = noise(rng(), (200, 200), 40), fractal(rng(), (200, 200), 40, octaves=4)
    assert np.abs(np.diff(detailed, axis=1)).mean() > 2 * np.abs(np.diff(plain, axis=1)).mean()


def test_colours_are_drawn_from_their_ranges() -> None:
    for seed in range(50):
        hue, saturation, value = colorsys.rgb_to_hsv(*colour(rng(seed), (60, 120), (0.3, 0.5), (0.2, 0.4)))
        assert 59.9 <= hue * 360 <= 120.1
        assert 0.299 <= saturation <= 0.501 and 0.199 <= value <= 0.401


def test_mixing_is_linear_in_the_share() -> None:
    image, paint = np.zeros((2, 3, 3)), np.ones(3)
    share = np.array([[0, 0.5, 1], [0.25, 0.75, 1]])
    assert np.allclose(mix(image, paint, share), np.repeat(share[..., None], 3, axis=2))


def test_smoothstep_rises_from_start_to_end() -> None:
    values = smoothstep(np.array([-1.0, 2.0, 3.0, 4.0, 9.0]), 2, 4)
    assert values.tolist() == pytest.approx([0, 0, 0.5, 1, 1])
