import io
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.decode import decode
from phytoflow.data.images.formats import unreadable
from phytoflow.errors import PhotoError
from tests.support.photo_files import tiff_16
from tests.support.photo_folder import encoded, picture

PHOTO = picture(4, 120, 90)
PREVIEW = np.zeros((48, 64, 3), np.uint16)


def ftyp(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0" + brand + b"mif1" + bytes(64)


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.jpg", encoded(PHOTO))
    return buffer.getvalue()


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"))
    return buffer.getvalue()


def _npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(PHOTO))
    return buffer.getvalue()


UNSUPPORTED = {
    "GIF": encoded(PHOTO, "GIF"),
    "ICO": encoded(PHOTO, "ICO"),
    "ICNS": encoded(PHOTO.resize((128, 128)), "ICNS"),
    "DDS": encoded(PHOTO, "DDS"),
    "JPEG 2000": encoded(PHOTO, "JPEG2000"),
    "JPEG XL": b"\xff\x0a" + bytes(64),
    "PDF": encoded(PHOTO, "PDF"),
    "PostScript": encoded(PHOTO, "EPS"),
    "PSD": b"8BPS\0\1" + bytes(64),
    "Canon CR2": b"II*\0\x10\0\0\0CR\x02\0" + bytes(64),
    "Canon CR3": ftyp(b"crx "),
    "Fujifilm RAF": b"FUJIFILMCCD-RAW 0201" + bytes(64),
    "Panasonic RW2": b"IIU\0\x18\0\0\0" + bytes(64),
    "Olympus ORF": b"IIRO\x08\0\0\0" + bytes(64),
    "DNG": tiff_16(PREVIEW, t50706=(1, 4, 0, 0)),
    "NEF": tiff_16(PREVIEW, t254=1, t330=(8, 8)),
    "SVG": b'<?xml version="1.0"?>\n<!-- a leaf -->\n<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "web page": b"<!DOCTYPE html><html><head><title>404</title>",
    "MP4": ftyp(b"isom"),
    "MOV": ftyp(b"qt  "),
    "AVI": b"RIFF\0\0\0\0AVI LIST" + bytes(64),
    "WebM": b"\x1a\x45\xdf\xa3" + bytes(64),
    "DICOM": bytes(128) + b"DICM" + bytes(64),
    "NumPy": _npy(),
    "ZIP": _zip(),
    "tar": _tar(),
    "gzip": b"\x1f\x8b\x08\0" + bytes(64),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(64),
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 12345\n",
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_a_format_that_is_not_read_is_named_with_a_remedy(name: str) -> None:
    with pytest.raises(PhotoError) as refusal:
        decode(UNSUPPORTED[name])
    assert refusal.value.reason == "unsupported_format"
    assert name in refusal.value.message
    assert refusal.value.remedy


def test_the_remedy_fits_the_format() -> None:
    remedies = {}
    for name, content in UNSUPPORTED.items():
        with pytest.raises(PhotoError) as refusal:
            decode(content)
        remedies[name] = refusal.value.remedy
    assert "raw converter" in remedies["NEF"] == remedies["Canon CR3"]
    assert "frame" in remedies["MP4"]
    assert "git lfs pull" in remedies["Git LFS"]
    assert "unpack" in remedies["ZIP"]
    assert "error or login page" in remedies["web page"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (encoded(PHOTO)[:12], "JPEG"),
        (encoded(PHOTO, "PNG")[:12], "PNG"),
        (encoded(PHOTO, "WEBP")[:15], "WebP"),
        (encoded(PHOTO, "TIFF")[:12], "TIFF"),
        (encoded(PHOTO, "BMP")[:8], "BMP"),
        (ftyp(b"heic"), "HEIC"),
        (ftyp(b"avif"), "AVIF"),
        (tiff_16(np.zeros((20, 20, 3), np.uint16), t277=5), "TIFF"),
    ],
)
def test_a_damaged_file_is_called_by_its_format(content: bytes, named: str) -> None:
    with pytest.raises(PhotoError) as refusal:
        decode(content)
    assert refusal.value.reason in ("corrupt", "truncated")
    assert named in refusal.value.message or "damaged header" in refusal.value.message


@pytest.mark.parametrize("content", [b"not an image at all", b"\0" * 100, b"path,label\n1.jpg,rust\n"])
def test_what_is_no_image_is_called_that(content: bytes) -> None:
    with pytest.raises(PhotoError) as refusal:
        decode(content)
    assert refusal.value.reason == "not_an_image"


def test_an_ordinary_tiff_is_no_raw_file() -> None:
    pyramid = tiff_16(PREVIEW, t254=0, t330=(8, 8))
    assert decode(pyramid).size == (64, 48)
    assert decode(encoded(PHOTO, "TIFF")).size == (120, 90)


@pytest.mark.parametrize(
    ("heic", "avif", "content", "message"),
    [
        (False, True, ftyp(b"heic"), "HEIC needs the package pi-heif"),
        (True, True, ftyp(b"heic"), "cannot be opened: HEIC"),
        (True, False, ftyp(b"avif"), "AVIF needs pillow"),
        (True, True, ftyp(b"avif"), "cannot be opened: AVIF"),
    ],
)
def test_phones_formats_say_what_is_missing(heic: bool, avif: bool, content: bytes, message: str) -> None:
    assert unreadable(content, heic, avif).message.startswith(message)


def test_camera_raw_is_not_taken_for_its_thumbnail() -> None:
    """Pillow opens the small preview that stands first in a DNG as if it were the photo."""
    assert Image.open(io.BytesIO(UNSUPPORTED["DNG"])).size == (64, 48)
