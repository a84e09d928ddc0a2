"""Colours: photos with a colour profile other than sRGB are converted to sRGB.

Phones save in Display P3, cameras and photo editors in Adobe RGB or ProPhoto RGB. Read as sRGB such photos
are pale, and a model trained on one kind of camera sees other colours from the next.
"""

from __future__ import annotations

import io
import struct
import threading
from collections import OrderedDict
from functools import cache
from typing import Any, Final

import numpy as np
from PIL import Image, ImageCms

from phytoflow.data.images.icc import ADOBE_RGB, DISPLAY_P3, RgbSpace, write_profile

# Printers' CMYK profiles have up to 3 MB, others a few kB; what is larger is not worth its parsing.
MAX_PROFILE_BYTES: Final = 4 * 2**20
_CACHED_TRANSFORMS: Final = 16  # a data set has photos of a few cameras; each transform takes up to 0.5 MB
# A profile by which no colour moves by more than this (of 255) is sRGB by another name or rounding.
_SAME: Final = 2
# Colours within sRGB stay what they are, and black stays black; the other intents move both.
_INTENT: Final = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS: Final = ImageCms.Flags.BLACKPOINTCOMPENSATION
_MODES: Final = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}
_LAB: Final = "LAB"
UNREADABLE: Final = "unreadable"

# EXIF: cameras set to Adobe RGB embed no profile but mark the photo as DCF 2.0 says: ColorSpace
# "uncalibrated" and the interoperability index "R03".
_EXIF_IFD, _INTEROPERABILITY_IFD, _COLOR_SPACE, _INDEX = 0x8769, 0xA005, 0xA001, 1
_UNCALIBRATED: Final = 0xFFFF
_P3_PRIMARIES: Final = 12  # of the box `nclx` in HEIC: ITU-T H.273, table 2, SMPTE EG 432-1


def profile_of(image: Image.Image) -> bytes | None:
    """The ICC profile that a photo embeds or names otherwise; None: sRGB, as photos without a profile are."""
    if profile := image.info.get("icc_profile"):
        return bytes(profile)
    if (image.info.get("nclx_profile") or {}).get("color_primaries") == _P3_PRIMARIES:
        return _profile(DISPLAY_P3)
    return _profile(ADOBE_RGB) if _is_marked_adobe_rgb(image) else None


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Converts a photo to sRGB.

    Args:
        image: Of the mode RGB, L, CMYK or LAB.
        profile: Its ICC profile. One that is too large, cannot be read, or belongs to another kind of picture
            is ignored: the photo is taken as sRGB.

    Returns:
        The photo with the mode RGB and without a profile; the same object where nothing had to be done.
    """
    if profile is None and image.mode == "RGB":
        return image
    transform = None if profile is None else _transform(profile, image.mode)[0]
    if transform is None and image.mode == _LAB:
        transform = _lab_transform()
    converted = image.convert("RGB") if transform is None else ImageCms.applyTransform(image, transform)
    assert converted is not None
    converted.info.pop("icc_profile", None)  # or it would be saved with the converted photo
    return converted


def describe_profile(image: Image.Image, profile: bytes | None) -> str:
    """The name of a photo's profile, for people; empty: none, or sRGB; ``unreadable``: it is ignored."""
    if profile is None:
        return ""
    if len(profile) > MAX_PROFILE_BYTES:
        return UNREADABLE
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(opened).strip()
        mode = _MODES[opened.profile.xcolor_space]
    except (ImageCms.PyCMSError, OSError, KeyError, ValueError):
        return UNREADABLE
    transform, readable = _transform(profile, mode)
    return (name or "unnamed") * (transform is not None) if readable else UNREADABLE


class _Cache:
    """The transforms of the last few profiles; threads share it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, int, str], tuple[Any, bool]] = OrderedDict()

    def find(self, profile: bytes, mode: str) -> tuple[Any, bool]:
        # Python's keyed hash: a cryptographic one would take longer than all else for a photo in sRGB.
        key = (hash(profile), len(profile), mode)
        with self._lock:
            if key not in self._known:
                self._known[key] = _build(profile, mode)
                if len(self._known) > self._size:
                    self._known.popitem(last=False)
            self._known.move_to_end(key)
            return self._known[key]


_TRANSFORMS = _Cache(_CACHED_TRANSFORMS)


def _transform(profile: bytes, mode: str) -> tuple[Any, bool]:
    """The transform to sRGB, None if colours stay as they are; and whether the profile could be used."""
    return (None, False) if len(profile) > MAX_PROFILE_BYTES else _TRANSFORMS.find(profile, mode)


def _build(profile: bytes, mode: str) -> tuple[Any, bool]:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _MODES.get(source.profile.xcolor_space) != mode:
            return None, False
        transform = ImageCms.buildTransform(source, _srgb(), mode, "RGB", _INTENT, _FLAGS)
        return (None if _changes_nothing(transform, mode) else transform), True
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # what lcms2 says of a damaged profile
        return None, False


def _changes_nothing(transform: Any, mode: str) -> bool:
    """Tries all combinations of nine steps of each colour."""
    if mode not in ("RGB", "L"):
        return False
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    grid = np.stack(np.meshgrid(*[steps] * len(mode), indexing="ij"), axis=-1).reshape(1, -1, len(mode))
    image = Image.fromarray(grid if mode == "RGB" else grid[..., 0])
    after = np.asarray(ImageCms.applyTransform(image, transform), np.int16)
    return bool(np.abs(after - np.asarray(image.convert("RGB"), np.int16)).max() <= _SAME)


def _is_marked_adobe_rgb(image: Image.Image) -> bool:
    # Searching the bytes costs a few microseconds, parsing the directories a tenth of a millisecond.
    # (pi-heif says None of a photo without EXIF.)
    if b"R03\0" not in (image.info.get("exif") or b""):
        return False
    try:
        exif = image.getexif()
        space = exif.get_ifd(_EXIF_IFD).get(_COLOR_SPACE)
        return space == _UNCALIBRATED and exif.get_ifd(_INTEROPERABILITY_IFD).get(_INDEX) == "R03"
    except (OSError, ValueError, TypeError, KeyError, SyntaxError, struct.error):  # damaged EXIF says nothing
        return False


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _lab_transform() -> Any:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return ImageCms.buildTransform(lab, _srgb(), _LAB, "RGB", _INTENT, _FLAGS)


@cache
def _profile(space: RgbSpace) -> bytes:
    return write_profile(space)
