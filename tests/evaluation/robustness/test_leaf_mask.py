import numpy as np
import pytest

from phytoflow.evaluation.robustness.leaf_mask import leaf_mask, otsu

SIZE = 224


def on_soil(radius: float, at: tuple[float, float] = (112, 112)) -> tuple[np.ndarray, np.ndarray]:
    """A green disc with brown spots on grainy soil, and where it is."""
    y, x = np.mgrid[:SIZE, :SIZE]
    leaf = np.hypot(y - at[0], x - at[1]) < radius
    grain = np.random.default_rng(1).normal(0, 12, (SIZE, SIZE, 1))
    photo = np.where(leaf[..., None], (70, 160, 60), (110, 85, 65)) + grain
    spots = (np.hypot(y - 100, x - 120) < 9) | (np.hypot(y - at[0], x - at[1] - radius) < 7)
    photo[spots & leaf] = (95, 70, 45)
    return photo.clip(0, 255).astype(np.uint8), leaf


@pytest.mark.parametrize(("radius", "at"), [(40, (112, 112)), (70, (100, 125)), (95, (112, 112))])
def test_a_leaf_on_soil_is_found_with_its_spots(radius: float, at: tuple[float, float]) -> None:
    photo, leaf = on_soil(radius, at)
    mask = leaf_mask(photo)
    assert mask is not None
    assert (mask & leaf).sum() / (mask | leaf).sum() > 0.9
    assert mask[96:105, 116:125].all()  # a spot in the middle is leaf too


def test_photos_without_a_clear_leaf_have_no_mask() -> None:
    generator = np.random.default_rng(0)
    lawn = np.array((60, 120, 50)) + generator.normal(0, 30, (SIZE, SIZE, 3))
    halves = np.repeat(np.where(np.arange(SIZE) < 112, 40, 200)[:, None], SIZE, 1)[..., None] * np.ones(3)
    tiny, _ = on_soil(14)
    corner, _ = on_soil(60, (20, 20))
    for photo in (lawn.clip(0, 255), halves, np.full((SIZE, SIZE, 3), 90), tiny, corner):
        assert leaf_mask(photo.astype(np.uint8)) is None


def test_otsu_parts_two_heaps_and_knows_how_clear_they_are() -> None:
    generator = np.random.default_rng(0)
    heaps = np.concatenate([generator.normal(0, 1, 800), generator.normal(20, 1, 200)])
    threshold, clear = otsu(heaps)
    assert 3 < threshold < 17 and clear > 0.95
    assert 0.5 < otsu(generator.normal(0, 1, 5000))[1] < 0.7  # one heap: 2/pi of it
    assert otsu(np.zeros(9))[1] == 0
