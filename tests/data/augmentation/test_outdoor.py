import numpy as np
import pytest
import torch

from phytoflow.data.augmentation.outdoor import Exposure, Fog, IsoNoise, Occlusion, Shadow, uniform


def grey(value: int = 128) -> torch.Tensor:
    return torch.full((3, 128, 128), value, dtype=torch.uint8)


def test_iso_noise_grows_with_the_light() -> None:
    noise = IsoNoise(grey=(20, 20), colour=(0, 0))
    dark, light = (noise(grey(v)).float().std().item() for v in (50, 200))
    assert light / dark == pytest.approx(2, rel=0.1)


def test_shadow_darkens_one_side_only() -> None:
    torch.manual_seed(1)
    for _ in range(5):
        shaded = Shadow((0.5, 0.5))(grey(200)).float()
        assert shaded.min() == pytest.approx(100, abs=8)
        assert shaded.max() == pytest.approx(200, abs=8)


def test_fog_mixes_between_a_tenth_and_three_tenths() -> None:
    torch.manual_seed(1)
    shares = [(Fog(0.1, 0.3)(grey(0)).float().mean() / 230).item() for _ in range(200)]
    assert 0.06 < min(shares) < 0.13
    assert 0.25 < max(shares) < 0.36
    assert float(np.mean(shares)) == pytest.approx(0.2, abs=0.02)


def test_exposure_multiplies_the_light_either_way_and_loses_what_is_beyond_white() -> None:
    torch.manual_seed(1)
    stops = torch.stack([torch.log2(Exposure(1)(grey(100)).float().mean() / 100) for _ in range(200)])
    assert stops.min() == pytest.approx(-1, abs=0.05)
    assert stops.max() == pytest.approx(1, abs=0.05)
    assert {Exposure(3)(grey(250)).max().item() for _ in range(30)} >= {255}


def test_occlusion_covers_one_rectangle_with_one_colour() -> None:
    torch.manual_seed(1)
    shares = []
    for _ in range(200):
        covered = (Occlusion((0.25, 0.5))(grey()) != 128).any(dim=0)
        rows, columns = (torch.nonzero(covered.any(dim=axis)).ravel() for axis in (1, 0))
        assert covered.sum() == len(rows) * len(columns)
        shares.append(covered.float().mean().item())
    assert 0.25**2 <= min(shares) < 0.08
    assert 0.2 < max(shares) <= 0.5**2


def test_uniform_stays_within_its_range() -> None:
    torch.manual_seed(0)
    drawn = [uniform(-2, 3) for _ in range(2000)]
    assert -2 <= min(drawn) < -1.9 and 2.9 < max(drawn) <= 3
    assert float(np.mean(drawn)) == pytest.approx(0.5, abs=0.1)
