"""Names the format of a file that cannot be read, and says what to do about it."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from PIL import Image, TiffImagePlugin

from phytoflow.errors import PhotoError

REMEDY: Final = "open the file in an image viewer; save it again as JPEG or PNG, or remove it"
_EXPORT_RAW = "export it from the camera's software or a raw converter as JPEG or TIFF"
_RENDER = "export it as PNG"
_FRAME = "save the frame you want as JPEG or PNG"
_PHOTOS = "give the photos themselves, not a file that contains them"


class _Format(NamedTuple):
    """A format by its first bytes: ``magic`` at ``offset``."""

    magic: bytes
    offset: int
    name: str
    remedy: str = REMEDY


# Formats that are not read. Their first bytes are those of the file(1) database and of the formats' own
# specifications; a longer magic stands before a shorter one that it begins with.
_UNREAD: Final = (
    _Format(b"8BPS", 0, "PSD (Photoshop)", _RENDER),
    _Format(b"GIF8", 0, "GIF"),
    _Format(b"CR\x02\x00", 8, "camera raw (Canon CR2)", _EXPORT_RAW),
    _Format(b"HEAPCCDR", 6, "camera raw (Canon CRW)", _EXPORT_RAW),
    _Format(b"FUJIFILMCCD-RAW", 0, "camera raw (Fujifilm RAF)", _EXPORT_RAW),
    _Format(b"IIU\x00", 0, "camera raw (Panasonic RW2)", _EXPORT_RAW),
    _Format(b"IIRO", 0, "camera raw (Olympus ORF)", _EXPORT_RAW),
    _Format(b"IIRS", 0, "camera raw (Olympus ORF)", _EXPORT_RAW),
    _Format(b"MMOR", 0, "camera raw (Olympus ORF)", _EXPORT_RAW),
    _Format(b"FOVb", 0, "camera raw (Sigma X3F)", _EXPORT_RAW),
    _Format(b"%PDF-", 0, "PDF", _RENDER),
    _Format(b"%!PS", 0, "PostScript", _RENDER),
    _Format(b"\x00\x00\x00\x0cjP  ", 0, "JPEG 2000"),
    _Format(b"\xff\x4f\xff\x51", 0, "JPEG 2000"),
    _Format(b"\x00\x00\x00\x0cJXL ", 0, "JPEG XL"),
    _Format(b"\xff\x0a", 0, "JPEG XL"),
    _Format(b"AVI ", 8, "video (AVI)", _FRAME),
    _Format(b"\x1a\x45\xdf\xa3", 0, "video (Matroska or WebM)", _FRAME),
    _Format(b"\x00\x00\x01\xba", 0, "video (MPEG)", _FRAME),
    _Format(b"\x00\x00\x01\xb3", 0, "video (MPEG)", _FRAME),
    _Format(b"FLV\x01", 0, "video (FLV)", _FRAME),
    _Format(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0, "video (WMV)", _FRAME),
    _Format(b"\x00\x00\x01\x00", 0, "ICO (icon)"),
    _Format(b"icns", 0, "ICNS (icon)"),
    _Format(b"gimp xcf", 0, "XCF (GIMP)", _RENDER),
    _Format(b"DDS ", 0, "DDS (texture)"),
    _Format(b"\x76\x2f\x31\x01", 0, "OpenEXR"),
    _Format(b"#?RADIANCE", 0, "Radiance HDR"),
    _Format(b"SIMPLE  =", 0, "FITS"),
    _Format(b"DICM", 128, "DICOM"),
    _Format(b"\x93NUMPY", 0, "NumPy array", "save the array as PNG"),
    _Format(b"\x89HDF\r\n\x1a\n", 0, "HDF5", _PHOTOS),
    _Format(b"PK\x03\x04", 0, "ZIP archive", "unpack it"),
    _Format(b"\x1f\x8b", 0, "gzip archive", "unpack it"),
    _Format(b"Rar!", 0, "RAR archive", "unpack it"),
    _Format(b"7z\xbc\xaf\x27\x1c", 0, "7z archive", "unpack it"),
    _Format(b"ustar", 257, "tar archive", "unpack it"),
    _Format(b"SQLite format 3", 0, "SQLite database", _PHOTOS),
    _Format(b"version https://git-lfs", 0, "Git LFS pointer", "fetch the photos with `git lfs pull`"),
)
# Formats that are read: a file that begins so and still cannot be opened is damaged, or of a rare kind.
_READ: Final = (
    _Format(b"\xff\xd8\xff", 0, "JPEG (damaged, or of a rare kind: 12 bits a sample, or lossless)"),
    _Format(b"\x89PNG\r\n\x1a\n", 0, "PNG (damaged)"),
    _Format(b"WEBP", 8, "WebP (damaged)"),
    _Format(b"II*\x00", 0, "TIFF (damaged, or of a rare kind, such as more than four channels)"),
    _Format(b"MM\x00*", 0, "TIFF (damaged, or of a rare kind, such as more than four channels)"),
    _Format(b"II+\x00", 0, "BigTIFF (damaged, or of a rare kind)"),
    _Format(b"MM\x00+", 0, "BigTIFF (damaged, or of a rare kind)"),
    _Format(b"BM", 0, "BMP (damaged, or of a rare kind)"),
)
# Brands of ISO media files, which all begin with "ftyp" (ISO/IEC 14496-12, mp4ra.org).
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF = {b"avif", b"avis"}
_BRAND_NAMES: Final = {b"crx ": ("camera raw (Canon CR3)", _EXPORT_RAW)}
_TEXT: Final = (
    (re.compile(rb"<svg[\s>]", re.IGNORECASE), "SVG drawing", _RENDER),
    (
        re.compile(rb"<!doctype html|<html[\s>]", re.IGNORECASE),
        "web page (HTML)",
        "download the photo itself: an error or login page was saved in its place",
    ),
)
_TEXT_BYTES = 4096  # how far into a file a text format may name itself
# TIFF tags and values by which a camera's raw file is told from a photo (TIFF/EP, DNG 1.7).
_NEW_SUBFILE_TYPE, _REDUCED, _SUB_IFDS, _DNG_VERSION = 254, 1, 330, 50706
_PHOTOMETRIC, _RAW_PHOTOMETRIC = 262, {32803, 34892}


def is_iso_media(content: bytes) -> bool:
    """Whether a file is of the family of HEIC, AVIF and MP4."""
    return content[4:8] == b"ftyp"


def unreadable(content: bytes, heic: bool, avif: bool) -> PhotoError:
    """The refusal of a file that no decoder took, by what the file is.

    Args:
        content: The file.
        heic: Whether a decoder of HEIC is installed.
        avif: Whether a decoder of AVIF is installed.

    Returns:
        An error with the reason ``unsupported_format``, ``corrupt`` or, for a file that nothing is known
        about, ``not_an_image``.
    """
    if is_iso_media(content):
        return _unreadable_media(content[8:12], heic, avif)
    for magic, offset, name, remedy in _UNREAD:
        if content.startswith(magic, offset):
            return _unsupported(name, remedy)
    for magic, offset, name, remedy in _READ:
        if content.startswith(magic, offset):
            return PhotoError(f"cannot be opened: {name}", reason="corrupt", remedy=remedy)
    for pattern, name, remedy in _TEXT:
        if pattern.search(content[:_TEXT_BYTES]):
            return _unsupported(name, remedy)
    return PhotoError("not an image of a known format", reason="not_an_image", remedy=REMEDY)


def refuse_camera_raw(image: Image.Image) -> None:
    """Refuses a TIFF that is a camera's raw file: what Pillow opens is the thumbnail in it.

    Raises:
        PhotoError: With the reason ``unsupported_format``.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    tags = image.tag_v2
    if _DNG_VERSION in tags:
        raise _unsupported("camera raw (DNG)", _EXPORT_RAW)
    # NEF, ARW, PEF and their like: the first picture is a reduced one, the raw picture is in a sub-directory.
    preview = tags.get(_NEW_SUBFILE_TYPE) == _REDUCED and _SUB_IFDS in tags
    if preview or tags.get(_PHOTOMETRIC) in _RAW_PHOTOMETRIC:
        raise _unsupported("camera raw (such as NEF or ARW)", _EXPORT_RAW)


def _unreadable_media(brand: bytes, heic: bool, avif: bool) -> PhotoError:
    if brand in _HEIC or brand in _AVIF:
        name, package, installed = ("AVIF", "pillow 11.3 or newer, built with libavif", avif)
        if brand in _HEIC:
            name, package, installed = ("HEIC", "the package pi-heif", heic)
        if installed:
            return PhotoError(f"cannot be opened: {name} (damaged)", reason="corrupt", remedy=REMEDY)
        remedy = f"install {package}, or save the photo as JPEG"
        return PhotoError(f"{name} needs {package}", reason="unsupported_format", remedy=remedy)
    return _unsupported(*_BRAND_NAMES.get(brand, ("video (MP4, MOV or 3GP)", _FRAME)))


def _unsupported(name: str, remedy: str) -> PhotoError:
    return PhotoError(f"{name} is not supported", reason="unsupported_format", remedy=remedy)
