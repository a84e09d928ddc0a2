"""Photos as phones write them: HEIC by x265, AVIF by Pillow's encoder."""

import io
import subprocess
import sys
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, features

from phytoflow.data.images import heif
from phytoflow.data.images.decode import decode, open_photo, read_photo
from phytoflow.errors import PhotoError
from tests.support.photo_files import heic
from tests.support.photo_folder import encoded, picture

PHOTO = picture(5, 400, 300)


def avif(image: Image.Image, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, "AVIF", quality=90, exif=exif)


def png(image: Image.Image, orientation: int = 1) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, "PNG", exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("encode", [heic, avif])
def test_the_containers_rotation_is_applied_once(encode: type, orientation: int) -> None:
    upright = read_photo(png(PHOTO, orientation))
    photo = read_photo(encode(PHOTO, orientation))
    assert photo.size == upright.size == ((300, 400) if orientation >= 5 else (400, 300))
    assert photo.image.size == upright.image.size
    difference = np.abs(np.asarray(photo.image, int) - np.asarray(upright.image, int))
    assert difference.mean() < 3, "by the encoder; the wrong way up it is above 40"


@pytest.mark.parametrize("encode", [heic, avif])
def test_they_look_like_the_jpeg_of_the_same_photo(encode: type) -> None:
    jpeg = np.asarray(decode(encoded(PHOTO, quality=95)), int)
    assert np.abs(np.asarray(decode(encode(PHOTO)), int) - jpeg).mean() < 2


@pytest.mark.parametrize("encode", [pillow_heif.from_pillow, None])
def test_a_photo_without_exif(encode: Any) -> None:
    buffer = io.BytesIO()
    if encode:
        encode(PHOTO).save(buffer, quality=90)
    else:
        PHOTO.save(buffer, "AVIF", quality=90)
    assert b"Exif" not in buffer.getvalue()
    for version in (1, 2):
        photo = decode(buffer.getvalue(), version=version)  # type: ignore[arg-type]
        assert np.abs(np.asarray(photo, int) - np.asarray(PHOTO, int)).mean() < 3


def test_ten_bits_a_sample() -> None:
    assert np.abs(np.asarray(decode(heic(PHOTO, bit_depth=10)), int) - np.asarray(PHOTO, int)).mean() < 3


def test_transparent_parts_become_white() -> None:
    clear = PHOTO.copy()
    clear.putalpha(0)
    for content in (heic(clear), encoded(clear, "AVIF")):
        assert np.asarray(decode(content)).min() >= 250


def test_a_large_photo_is_reduced_but_never_below_the_hint() -> None:
    large = PHOTO.resize((2000, 1500))
    for content in (heic(large), avif(large)):
        photo = read_photo(content, size_hint=128)
        assert photo.size == (2000, 1500)
        assert 256 <= min(photo.image.size) < 512


@pytest.mark.parametrize("encode", [heic, avif])
def test_a_cut_off_photo_is_refused(encode: type) -> None:
    content = encode(PHOTO)
    for share in (0.05, 0.5, 0.95):
        with pytest.raises(PhotoError):
            decode(content[: int(len(content) * share)])


def test_without_pi_heif_a_photo_is_named_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heif, "formats", lambda: ("AVIF",))
    with pytest.raises(PhotoError, match="HEIC needs the package pi-heif") as refusal:
        open_photo(heic(PHOTO))
    assert refusal.value.reason == "unsupported_format"
    assert "install the package pi-heif" in refusal.value.remedy


def test_libheifs_limits_are_on() -> None:
    import pi_heif

    heif.formats()
    assert pi_heif.options.DISABLE_SECURITY_LIMITS is False
    assert pi_heif.options.DECODE_THREADS == 1
    assert pi_heif.libheif_info()["encoders"].keys() <= {"mask"}, "no encoder is shipped"


def test_plugins_are_registered_under_names_that_can_be_opened() -> None:
    assert heif.formats() == ("AVIF", "HEIF")
    assert features.check("avif")
    assert Image.open(io.BytesIO(heic(PHOTO)), formats=["HEIF"]).size == (400, 300)


def test_damaged_metadata_does_not_end_the_process() -> None:
    """pi-heif 1.4.0 reads the type of a metadata entry through a null pointer: run where a crash is seen."""
    photo = heic(Image.new("RGB", (40, 30), (90, 120, 30)))
    code = (
        "import sys\n"
        "from phytoflow.data.images.decode import decode\n"
        "from phytoflow.errors import PhotoError\n"
        "content = sys.stdin.buffer.read()\n"
        "entry = content.index(b'Exif')\n"
        "for at in range(entry - 20, entry + 8):\n"
        "    try: decode(content[:at] + bytes([255]) + content[at + 1:])\n"
        "    except PhotoError: pass\n"
    )
    done = subprocess.run([sys.executable, "-c", code], input=photo, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
