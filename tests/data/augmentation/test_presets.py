import numpy as np
import pytest
import torch
from PIL import Image

from phytoflow.data.augmentation.presets import GaussNoise, RandomPose, WhiteBalance, augmentation
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import ConfigError

SIZE = 64


@pytest.fixture
def leaf() -> Image.Image:
    """A smooth photo, wider than high: a leaf-green ellipse on brown."""
    y, x = np.mgrid[0:90, 0:130]
    inside = ((x - 65) / 40) ** 2 + ((y - 45) / 25) ** 2 < 1
    pixels = np.where(inside[..., None], (60, 150, 50), (120, 90, 60)) + (x / 10)[..., None]
    return Image.fromarray(pixels.astype(np.uint8))


def test_none_is_what_serving_sees(leaf: Image.Image) -> None:
    preprocessing = Preprocessing(size=SIZE, crop_fraction=0.95, interpolation="bilinear")
    result = augmentation("none", SIZE, preprocessing)(leaf)
    assert np.array_equal(result.permute(1, 2, 0).numpy(), preprocessing.pixels(leaf))


@pytest.mark.parametrize("name", ["none", "light", "outdoor"])
def test_any_input_gives_bytes_of_the_size(name: str, leaf: Image.Image) -> None:
    one = torch.from_numpy(np.asarray(leaf).transpose(2, 0, 1).copy())
    preset = augmentation(name, SIZE)  # type: ignore[arg-type]
    for given, batch in [(leaf, ()), (one, ()), (one.expand(5, -1, -1, -1), (5,))]:
        result = preset(given)
        assert (result.shape, result.dtype) == ((*batch, 3, SIZE, SIZE), torch.uint8)


@pytest.mark.parametrize("name", ["light", "outdoor"])
def test_a_seed_fixes_the_draws_and_photos_of_a_batch_draw_alone(name: str, leaf: Image.Image) -> None:
    preset = augmentation(name, SIZE)  # type: ignore[arg-type]
    batch = torch.from_numpy(np.asarray(leaf).transpose(2, 0, 1).copy()).expand(2, -1, -1, -1)
    torch.manual_seed(4)
    first = preset(batch)
    torch.manual_seed(4)
    assert torch.equal(first, preset(batch))
    assert not torch.equal(first[0], first[1])


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="'heavy'"):
        augmentation("heavy", SIZE)  # type: ignore[arg-type]


def test_pose_without_freedom_is_the_central_crop(leaf: Image.Image) -> None:
    preprocessing = Preprocessing(size=SIZE, interpolation="bilinear")
    still = RandomPose(preprocessing, degrees=0, shift=0, scale=(1, 1))(leaf).permute(1, 2, 0).numpy()
    served = preprocessing.pixels(leaf)
    assert np.abs(still.astype(int) - served).mean() < 2.5


def test_pose_keeps_the_leafs_proportions(leaf: Image.Image) -> None:
    """A disc stays a disc when a wide photo is turned: the two axes have one scale."""
    y, x = np.mgrid[0:100, 0:160]
    disc = (((x - 80) ** 2 + (y - 50) ** 2 < 30**2) * 255).astype(np.uint8)
    torch.manual_seed(0)
    pose = RandomPose(Preprocessing(size=SIZE), degrees=30, shift=0, scale=(1, 1))
    for _ in range(5):
        rows, columns = np.nonzero(pose(Image.fromarray(disc).convert("RGB"))[0].numpy() > 127)
        assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1.01)


def test_pose_scale_and_shift_move_the_leaf() -> None:
    y, x = np.mgrid[0:100, 0:100]
    disc = Image.fromarray((((x - 50) ** 2 + (y - 50) ** 2 < 20**2) * 255).astype(np.uint8)).convert("RGB")
    areas = []
    for scale in (0.8, 1.15):
        pose = RandomPose(Preprocessing(size=SIZE), degrees=0, shift=0, scale=(scale, scale))
        areas.append(float((pose(disc)[0] > 127).sum()))
    assert areas[1] / areas[0] == pytest.approx((1.15 / 0.8) ** 2, rel=0.1)


def grey(value: int = 128) -> torch.Tensor:
    return torch.full((3, 128, 128), value, dtype=torch.uint8)


def test_gauss_noise_has_its_sigma() -> None:
    for sigma in (10, 50):
        noisy = GaussNoise(sigma, sigma)(grey()).float()
        assert noisy.std().item() == pytest.approx(sigma, rel=0.05)


def test_white_balance_scales_each_colour() -> None:
    result = WhiteBalance(0.1)(grey(100)).float()
    assert all(channel.std() == 0 and 90 <= channel[0, 0] <= 110 for channel in result)


def test_outdoor_is_rougher_than_light(leaf: Image.Image) -> None:
    def roughness(name: str) -> float:
        torch.manual_seed(0)
        preset = augmentation(name, SIZE)  # type: ignore[arg-type]
        return float(np.mean([preset(leaf).float().diff(dim=-1).abs().mean() for _ in range(60)]))

    assert roughness("outdoor") > 1.5 * roughness("light")
