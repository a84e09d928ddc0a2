"""Photos of more than 8 bits a sample: how many bits their samples have, and their reduction to 8.

Cameras and microscopes write 10-, 12- and 14-bit samples into files of 16. Scaled as 16-bit samples these are
nearly black, so the number of bits has to be known. The file may state it (PNG: the chunk ``sBIT``; TIFF:
``BitsPerSample``, ``MaxSampleValue``, ``SMaxSampleValue``). Otherwise the samples of the whole data set
decide, and the result is kept with the preprocessing; without that, the photo's own samples do.
"""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, TiffImagePlugin

from phytoflow.data.images.memory import is_deep_color, raw_mode

# The depths of sensors and file formats: samples of up to 4,000 are taken for 12-bit ones.
_DEPTHS: Final = (8, 10, 12, 14, 16, 24, 32)
_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE, _S_MAX_SAMPLE = 258, 262, 281, 341  # TIFF tags
_WHITE_IS_ZERO: Final = 0
# Pillow reads the upper byte of each 16-bit colour sample. Told that the byte order is the other one, it
# reads the lower byte; together they are the sample.
_SWAPPED: Final = {"16B": "16L", "16L": "16B", "16N": "16B" if sys.byteorder == "little" else "16L"}
_ROWS: Final = 256  # converted at a time: intermediate arrays stay small
_Samples = NDArray[Any]


class SampleDepth(NamedTuple):
    """The number of bits of a photo's samples.

    Attributes:
        used: Bits that the largest sample needs, rounded up to a usual depth; 0: not more than 8 a sample.
        stated: Bits that the file states; 0: none, or fewer than are used.
    """

    used: int = 0
    stated: int = 0

    def bits(self, of_data_set: int | None) -> int:
        """The bits that white has: as the file states, as the data set uses, or as this photo uses."""
        return self.stated or max(self.used, of_data_set or 0)


def is_deep(image: Image.Image) -> bool:
    """Whether a photo, opened but not yet decoded, has more than 8 bits a sample."""
    return image.mode.startswith(("I", "F")) or is_deep_color(image)


def measure_depth(image: Image.Image, content: bytes) -> SampleDepth:
    """Decodes a photo, opened from ``content``, and finds the number of bits of its samples."""
    return _Deep(image, content).depth if is_deep(image) else SampleDepth()


def load_eight_bits(image: Image.Image, content: bytes, sample_bits: int | None) -> Image.Image:
    """Decodes a photo of more than 8 bits a sample to 8.

    Args:
        image: Opened from ``content``, not decoded.
        content: The file.
        sample_bits: Bits of the data set's samples, for photos whose file states none; None: unknown.

    Returns:
        The photo with the mode L, RGB or RGBA.
    """
    return _Deep(image, content).reduce(sample_bits)


def usual_depth(value: float) -> int:
    """The smallest usual number of bits that holds a sample of this value."""
    return next((bits for bits in _DEPTHS if value < 2**bits), _DEPTHS[-1])


class _Deep:
    """A photo of more than 8 bits a sample, decoded."""

    def __init__(self, image: Image.Image, content: bytes) -> None:
        stated, color = _stated_bits(image, content), is_deep_color(image)
        self._image, self._lower = image, _open_lower(image, content) if color else None
        self._inverted = _is_inverted(image)
        image.load()
        if color and (self._lower is None or _has_high_samples(image)):
            self._lower, self._top = None, 2.0**16 - 1
        else:
            self._top = max(float(np.nanmax(_without_alpha(rows))) for _, rows in self._strips())
        self._shares = image.mode == "F" and self._top <= 1  # of white, whatever the depth
        used = 0 if self._shares else usual_depth(self._top)
        self.depth = SampleDepth(used, stated if stated >= used else 0)

    def reduce(self, sample_bits: int | None) -> Image.Image:
        if self._image.mode.startswith("RGB") and self._lower is None:
            return self._image
        white = 1.0 if self._shares else float(2 ** self.depth.bits(sample_bits) - 1)
        reduced = Image.new("L" if self._lower is None else self._image.mode, self._image.size)
        for top, rows in self._strips():
            values = white - rows if self._inverted else rows
            eight = np.clip(np.nan_to_num(values) * (255 / white) + 0.5, 0, 255).astype(np.uint8)
            reduced.paste(Image.fromarray(eight), (0, top))
        return reduced

    def _strips(self) -> Iterator[tuple[int, _Samples]]:
        """A few rows of samples at a time, [R, W] or [R, W, C], with the number of the first row."""
        width, height = self._image.size
        for top in range(0, height, _ROWS):
            box = (0, top, width, min(top + _ROWS, height))
            rows = np.asarray(self._image.crop(box))
            if self._lower is not None:
                rows = rows.astype(np.uint16) * 256 + np.asarray(self._lower.crop(box))
            yield top, rows


def _has_high_samples(image: Image.Image) -> bool:
    """Whether an upper byte is 64 or more: the sample has 15 or 16 bits, and lower bytes tell nothing new."""
    extrema: Any = image.getextrema()
    return bool(max(high for _, high in extrema[:3]) >= 64)


def _without_alpha(rows: _Samples) -> _Samples:
    return rows[..., :3] if rows.ndim == 3 else rows


def _is_inverted(image: Image.Image) -> bool:
    """Whether 0 is white: Pillow turns only samples of up to 8 bits around."""
    tiff = isinstance(image, TiffImagePlugin.TiffImageFile) and image.mode.startswith("I")
    return tiff and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO  # type: ignore[attr-defined]


def _open_lower(image: Image.Image, content: bytes) -> Image.Image | None:
    """The photo of the lower bytes; None where Pillow has no way to read them (a PNG in grey with alpha)."""
    layout, _, order = raw_mode(image).partition(";")
    if layout not in ("RGB", "RGBA"):
        return None
    lower = Image.open(io.BytesIO(content), formats=[str(image.format)])
    swapped = f"{layout};{_SWAPPED[order]}"
    tiles: list[Any] = lower.tile  # PNG: the layout alone; TIFF: the layout and more
    lower.tile = [
        tile._replace(args=swapped if isinstance(tile.args, str) else (swapped, *tile.args[1:]))
        for tile in tiles
    ]
    return lower


def _stated_bits(image: Image.Image, content: bytes) -> int:
    """Bits a sample that the file states, rounded up to a usual depth; 0 where it states none."""
    if isinstance(image, PngImagePlugin.PngImageFile):
        return max((bits for bits in _png_significant_bits(content) if bits <= 16), default=0)
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return 0
    bits = max(_numbers(image, _BITS_PER_SAMPLE), default=0)
    tops = [value for tag in (_MAX_SAMPLE, _S_MAX_SAMPLE) for value in _numbers(image, tag)]
    if tops and 0 < max(tops) < 2**16 - 1:
        return usual_depth(max(tops))
    return int(bits) if bits not in (16, 32) else 0


def _numbers(image: TiffImagePlugin.TiffImageFile, tag: int) -> list[float]:
    value = image.tag_v2.get(tag, ())
    return [float(v) for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, int | float)]


def _png_significant_bits(content: bytes) -> bytes:
    """The chunk ``sBIT``: one number a channel; it stands before the pixels. Pillow leaves it out."""
    at = 8  # bytes of the signature
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        if kind == b"sBIT":
            return content[at + 8 : at + 8 + min(length, 4)]
        if kind == b"IDAT":
            break
        at += length + 12  # length, kind and checksum take 12 bytes
    return b""
