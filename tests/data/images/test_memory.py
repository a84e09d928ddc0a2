import io
import threading

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.memory import MemoryBudget, bytes_per_pixel, decoding_bytes, is_deep_color
from tests.support.photo_files import png_16
from tests.support.photo_folder import encoded, picture

MIB = 2**20
PHOTO = picture(2, 400, 300)


def opened(image_format: str, image: Image.Image = PHOTO, **options: object) -> Image.Image:
    return Image.open(io.BytesIO(encoded(image, image_format, **options)))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (opened("PNG"), 4),
        (opened("JPEG"), 4),
        (opened("JPEG", progressive=True), 4),  # 4:2:0: 1.5 coefficients a pixel
        (opened("JPEG", progressive=True, subsampling=0), 6),
        (opened("JPEG", PHOTO.convert("CMYK"), progressive=True), 8),
        (opened("WEBP"), 16.6),
        (Image.open(io.BytesIO(png_16(np.zeros((20, 20, 3), np.uint16)))), 8),
        (Image.open(io.BytesIO(png_16(np.zeros((20, 20), np.uint16)))), 4),
    ],
)
def test_bytes_per_pixel(image: Image.Image, expected: float) -> None:
    assert bytes_per_pixel(image) == expected


def test_a_jpeg_that_is_reduced_while_it_is_decoded_takes_little() -> None:
    image = opened("JPEG")
    image.draft("RGB", (50, 38))  # a quarter: an eighth would be less than that
    assert decoding_bytes(image, (400, 300)) == 4 * 100 * 75
    progressive = opened("JPEG", progressive=True)
    progressive.draft("RGB", (50, 38))
    assert decoding_bytes(progressive, (400, 300)) == 4 * 100 * 75 + 3 * 400 * 300


def test_deep_color() -> None:
    assert is_deep_color(Image.open(io.BytesIO(png_16(np.zeros((20, 20, 3), np.uint16)))))
    assert not is_deep_color(Image.open(io.BytesIO(png_16(np.zeros((20, 20), np.uint16)))))
    assert not is_deep_color(PHOTO)


class _Decoding:
    """A thread that reserves memory until it is told to end."""

    def __init__(self, budget: MemoryBudget, size: int) -> None:
        self.started, self.end = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(budget, size))
        self._thread.start()

    def _run(self, budget: MemoryBudget, size: int) -> None:
        with budget.reserve(size):
            self.started.set()
            self.end.wait(10)

    def finish(self) -> None:
        self.end.set()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_what_fits_is_decoded_at_the_same_time() -> None:
    budget = MemoryBudget(100 * MIB)
    decodings = [_Decoding(budget, 50 * MIB) for _ in range(2)]
    assert all(decoding.started.wait(5) for decoding in decodings)
    assert budget.free == 0
    for decoding in decodings:
        decoding.finish()
    assert budget.free == 100 * MIB


def test_what_does_not_fit_waits_and_is_not_overtaken() -> None:
    budget = MemoryBudget(100 * MIB)
    first = _Decoding(budget, 60 * MIB)
    assert first.started.wait(5)
    large = _Decoding(budget, 100 * MIB)
    assert not large.started.wait(0.05)
    small = _Decoding(budget, 20 * MIB)  # would fit, but the large one came first
    assert not small.started.wait(0.05)
    first.finish()
    assert large.started.wait(5)
    assert not small.started.is_set()
    large.finish()
    assert small.started.wait(5)
    small.finish()


def test_what_is_larger_than_the_whole_budget_is_decoded_alone() -> None:
    budget = MemoryBudget(100 * MIB)
    with budget.reserve(500 * MIB):
        assert budget.free == 0
    assert budget.free == 100 * MIB


def test_small_photos_take_no_part() -> None:
    budget = MemoryBudget(10 * MIB)
    with budget.reserve(10 * MIB), budget.reserve(8 * MIB - 1):
        assert budget.free == 0


def test_a_failed_decoding_gives_its_memory_back() -> None:
    budget = MemoryBudget(100 * MIB)
    with pytest.raises(OSError, match="truncated"), budget.reserve(50 * MIB):
        raise OSError("truncated")
    assert budget.free == 100 * MIB
