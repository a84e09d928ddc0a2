"""Photos are stored without metadata, and look the same."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from phytoflow.data.images.decode import decode
from phytoflow.data.images.limits import Limits
from serving.gateway.log import photo_metadata
from serving.gateway.log.photo_metadata import UnstorableError

PIXELS = np.random.default_rng(0).integers(0, 255, (24, 32, 3), np.uint8)
SECRET = b"47.5N 8.5E Anna"


def strip_metadata(content: bytes) -> tuple[bytes, str]:
    parts, suffix = photo_metadata.strip_metadata(content)
    return b"".join(parts), suffix


def encoded(format: str, orientation: int = 1, **options: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()  # ImageDescription
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, format, exif=exif, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_nothing_but_the_orientation_stays(format: str, orientation: int) -> None:
    content = encoded(format, orientation, **({"lossless": True} if format == "WEBP" else {}))
    assert SECRET in content
    plain, suffix = strip_metadata(content)
    assert suffix == (".jpg" if format == "JPEG" else ".png")
    assert SECRET not in plain
    assert np.array_equal(np.asarray(decode(content, Limits())), np.asarray(decode(plain, Limits())))
    kept = orientation == 6 and format in ("JPEG", "PNG")  # the others are stored upright
    assert dict(Image.open(io.BytesIO(plain)).getexif()) == ({0x0112: 6} if kept else {})


def test_comments_and_text_chunks_go() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", SECRET.decode(), zip=True)
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=text)
    assert "Author" in Image.open(buffer).info
    assert "Author" not in Image.open(io.BytesIO(strip_metadata(buffer.getvalue())[0])).info
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "JPEG", comment=SECRET)
    assert SECRET not in strip_metadata(buffer.getvalue())[0]


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_the_colour_profile_stays(format: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain, _ = strip_metadata(encoded(format, icc_profile=profile))
    assert Image.open(io.BytesIO(plain)).info["icc_profile"] == profile


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n1234", b"<svg/>", b"\xff\xd8" * 9]
)
def test_what_cannot_be_taken_apart_is_not_stored(content: bytes) -> None:
    with pytest.raises(UnstorableError):
        strip_metadata(content)


@pytest.mark.parametrize("cut", [30, 100, 400])
def test_a_truncated_photo_is_not_stored_or_harmless(cut: int) -> None:
    content = encoded("JPEG")[:-cut]
    with contextlib.suppress(UnstorableError):
        assert SECRET not in strip_metadata(content)[0]
