import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.decode import DecoderVersion, decode, read_photo
from phytoflow.data.images.limits import Limits
from phytoflow.errors import PhotoError

Encode = Callable[..., bytes]


def _png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("image_format", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_as_they_were(
    encode: Encode, texture: np.ndarray, image_format: str
) -> None:
    assert np.array_equal(np.asarray(decode(encode(texture, image_format))), texture)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_lossy_formats_come_back_nearly(encode: Encode, texture: np.ndarray, image_format: str) -> None:
    pixels = np.asarray(decode(encode(texture, image_format, quality=95)), np.int16)
    assert np.abs(pixels - texture).mean() < 4


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_exif_orientation_turns_the_photo_upright(texture: np.ndarray, orientation: int, turn: int) -> None:
    image, buffer = Image.fromarray(texture), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(buffer, "PNG", exif=exif)
    assert np.array_equal(np.asarray(decode(buffer.getvalue())), np.rot90(texture, turn))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK", "YCbCr", "RGBA", "LA", "I;16", "I", "F"])
def test_every_mode_becomes_rgb(texture: np.ndarray, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(texture[..., 0].astype(np.uint16) * 257)
    else:
        image = Image.fromarray(texture).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG" if mode in ("L", "1", "P", "RGBA", "LA", "I;16") else "TIFF")
    decoded = decode(buffer.getvalue())
    assert decoded.mode == "RGB" and decoded.size == (400, 300)
    if mode in ("I;16", "L"):
        reference = texture[..., 0] if mode == "I;16" else np.asarray(image)
        assert np.abs(np.asarray(decoded)[..., 0].astype(int) - reference).max() <= 1


def test_transparent_parts_become_white(texture: np.ndarray) -> None:
    rgba, buffer = np.dstack([texture, np.zeros(texture.shape[:2], np.uint8)]), io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG")
    assert (np.asarray(decode(buffer.getvalue())) == 255).all()


def test_the_first_frame_of_an_animation_is_taken(texture: np.ndarray) -> None:
    frames, buffer = [Image.fromarray(texture), Image.fromarray(255 - texture)], io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    assert np.array_equal(np.asarray(decode(buffer.getvalue())), texture)


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_photo(
    texture: np.ndarray, image_format: str, orientation: int
) -> None:
    """Pillow turns a TIFF by itself, and reports its upright size before; of the others it does neither."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(texture).save(buffer, image_format, exif=exif)
    for version in (1, 2):
        photo = read_photo(buffer.getvalue(), version=version)  # type: ignore[arg-type]
        assert photo.size == photo.image.size == ((300, 400) if orientation >= 5 else (400, 300))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "I;16"])
def test_a_large_photo_of_any_kind_is_reduced_as_if_at_once(texture: np.ndarray, mode: str) -> None:
    large = Image.fromarray(texture).resize((1600, 1201), Image.Resampling.BICUBIC)
    if mode == "I;16":
        large = Image.fromarray(np.asarray(large.convert("L")).astype(np.uint16) * 257)
    elif mode == "RGBA":
        large.putalpha(large.convert("L"))
    else:
        large = large.convert(mode)
    buffer = io.BytesIO()
    large.save(buffer, "TIFF" if mode == "CMYK" else "PNG")
    reduced = decode(buffer.getvalue(), size_hint=128)
    whole = decode(buffer.getvalue())
    assert (whole.size, reduced.size) == ((1600, 1201), (400, 301))
    difference = np.abs(np.asarray(reduced, int) - np.asarray(whole.reduce(4), int))
    assert difference.mean() < 1 and difference.max() <= 8


def test_a_jpeg_is_reduced_further_where_an_eighth_is_still_large(encode: Encode) -> None:
    content = encode(np.zeros((6000, 9000, 3), np.uint8), "JPEG")
    assert decode(content, size_hint=100).size == (375, 250)


def test_a_large_jpeg_is_reduced_but_never_below_the_hint(encode: Encode) -> None:
    content = encode(np.zeros((1200, 2000, 3), np.uint8), "JPEG")
    assert min(decode(content, size_hint=256).size) == 300
    assert decode(content).size == (2000, 1200)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"not an image at all", "not_an_image"),
        (b"GIF89a" + b"\x00" * 40, "unsupported_format"),
        (_png_header(30_000, 30_000), "too_many_pixels"),
        (_png_header(4, 4000), "too_small"),
        (_png_header(100, 100), "truncated"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(PhotoError) as refusal:
        decode(content, Limits(min_side=16))
    assert refusal.value.reason == reason


def test_a_cut_off_photo_is_refused_at_any_length(encode: Encode, texture: np.ndarray) -> None:
    for image_format in ("JPEG", "PNG", "WEBP", "TIFF", "BMP"):
        content = encode(texture, image_format)
        for share in (0.02, 0.3, 0.9):
            with pytest.raises(PhotoError):
                decode(content[: int(len(content) * share)])


@pytest.mark.parametrize("version", [1, 2])
def test_damaged_exif_costs_no_photo(encode: Encode, texture: np.ndarray, version: DecoderVersion) -> None:
    jpeg = encode(texture, "JPEG")
    noise = b"Exif\0\0II*\0\xff\xff\xff\x7f" + bytes(range(40))
    content = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(noise) + 2) + noise + jpeg[2:]
    assert decode(content, version=version).size == (400, 300)


@pytest.mark.parametrize("version", [1, 2])
def test_a_png_whose_exif_follows_its_pixels_is_upright(texture: np.ndarray, version: DecoderVersion) -> None:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    Image.fromarray(texture).save(buffer, "PNG", exif=exif)
    content = buffer.getvalue()
    start = content.index(b"eXIf") - 4
    end = start + 12 + struct.unpack(">I", content[start : start + 4])[0]
    chunk, rest = content[start:end], content[:start] + content[end:]
    at = rest.index(b"IEND") - 4
    assert decode(rest[:at] + chunk + rest[at:], version=version).size == (300, 400)


def test_version_1_allows_fewer_pixels_where_it_copies_the_whole_photo() -> None:
    clear, buffer = Image.new("RGBA", (200, 100)), io.BytesIO()
    clear.save(buffer, "PNG")
    limits = Limits(max_pixels=20_000)
    assert decode(buffer.getvalue(), limits).size == (200, 100)
    with pytest.raises(PhotoError, match=r"more than the 8,333 allowed .* 12 bytes of memory a pixel"):
        decode(buffer.getvalue(), limits, version=1)


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    with pytest.raises(PhotoError, match="more than the 10 allowed"):
        decode(b"x" * 11, Limits(max_bytes=10))
