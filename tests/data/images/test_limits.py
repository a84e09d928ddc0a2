import pytest

from phytoflow.data.images.limits import ACCEPTED, MAX_PIXELS, LimitNames, Limits
from phytoflow.data.settings import DataSettings
from phytoflow.errors import PhotoError
from serving.predictor.options import Options

NAMED = Limits(names=LimitNames("data.max_bytes", "data.max_pixels", "data.min_side"))


@pytest.mark.parametrize("size", [(8192, 6144), (9248, 6936), (12000, 9000), (12032, 9024)])
def test_phones_of_50_64_and_108_megapixels_are_within_the_limits(size: tuple[int, int]) -> None:
    Limits().check_size(*size, kind="JPEG", bytes_per_pixel=4)


def test_there_is_one_set_of_limits() -> None:
    """What training takes is also served."""
    data, served = DataSettings(), Options(bundle="b").photo_limits
    assert (data.max_bytes, data.max_pixels, data.min_side) == (
        served.max_bytes,
        served.max_pixels,
        served.min_side,
    )


def test_the_largest_photo_fits_into_a_request() -> None:
    options = Options(bundle="b")
    in_base64 = -(-options.max_photo_bytes // 3) * 4
    assert in_base64 < options.max_body_bytes <= options.max_in_flight_bytes


@pytest.mark.parametrize(
    ("size", "kind", "memory", "refused"),
    [
        ((10_000, 11_000), "PNG", 4, ""),
        ((10_000, 11_001), "PNG", 4, "10000 x 11001 pixels, more than the 110,000,000 allowed"),
        ((10_000, 5_500), "AVIF", 10, ""),
        ((10_000, 5_501), "AVIF", 10, "more than the 55,000,000 allowed for AVIF, which takes 10 bytes"),
        ((15, 4_000), "PNG", 4, "15 x 4000 pixels; the shorter side must have at least 16"),
    ],
)
def test_pixels(size: tuple[int, int], kind: str, memory: float, refused: str) -> None:
    if not refused:
        return Limits().check_size(*size, kind=kind, bytes_per_pixel=memory)
    with pytest.raises(PhotoError, match=refused):
        Limits().check_size(*size, kind=kind, bytes_per_pixel=memory)
    return None


def test_bytes() -> None:
    Limits(max_bytes=10).check_bytes(10)
    with pytest.raises(PhotoError, match="11 bytes, more than the 10 allowed") as refusal:
        Limits(max_bytes=10).check_bytes(11)
    assert refusal.value.reason == "too_many_bytes"
    with pytest.raises(PhotoError, match="empty"):
        Limits().check_bytes(0)


def test_a_refusal_names_the_option_that_raises_the_limit() -> None:
    with pytest.raises(PhotoError) as refusal:
        NAMED.check_bytes(2**40)
    assert refusal.value.remedy == "reduce the photo, or raise data.max_bytes"
    assert refusal.value.message.endswith("allowed by data.max_bytes")
    with pytest.raises(PhotoError) as refusal:
        NAMED.check_size(10**6, 10**6, kind="PNG", bytes_per_pixel=4)
    assert refusal.value.remedy == "reduce the photo, or raise data.max_pixels"
    with pytest.raises(PhotoError) as refusal:
        NAMED.check_size(9, 9, kind="PNG", bytes_per_pixel=4)
    assert refusal.value.remedy == "use the original photo, not a thumbnail, or lower data.min_side"
    with pytest.raises(PhotoError) as refusal:
        Limits().check_bytes(2**40)
    assert refusal.value.remedy == "reduce the photo"


def test_accepted_photos_are_not_measured_again() -> None:
    ACCEPTED.check_bytes(2**40)
    ACCEPTED.check_size(MAX_PIXELS, 2, kind="WEBP", bytes_per_pixel=17)
    ACCEPTED.check_size(1, 1, kind="PNG", bytes_per_pixel=4)
