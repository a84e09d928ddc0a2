"""The size limits of a photo: one set, for training, ``phytoflow predict`` and the predictor."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final, NamedTuple

from phytoflow.errors import PhotoError

MAX_BYTES: Final = 64 * 2**20
# A phone's 108-megapixel photo has up to 12,032 x 9,024 pixels.
MAX_PIXELS: Final = 110_000_000
# A leaf of fewer pixels shows no lesion; smaller files are icons and tracking pixels.
MIN_SIDE: Final = 16
# Memory that max_pixels stands for: a decoded RGB photo takes 4 bytes a pixel in Pillow, and its decoder some
# more. Decoders that need more than this a pixel are allowed fewer pixels.
BYTES_PER_PIXEL: Final = 5


class LimitNames(NamedTuple):
    """Names of the options that raise the limits; empty where no option does."""

    max_bytes: str = ""
    max_pixels: str = ""
    min_side: str = ""


@dataclass(frozen=True)
class Limits:
    """The largest and smallest photo that is accepted.

    Attributes:
        max_bytes: Maximum size of the encoded file.
        max_pixels: Maximum width times height.
        min_side: Minimum of width and height, pixels.
        names: Options that change them, named in refusals.
    """

    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS
    min_side: int = MIN_SIDE
    names: LimitNames = LimitNames()  # noqa: RUF009 (immutable)

    def check_bytes(self, size: int) -> None:
        """Refuses an empty file and one of too many bytes; raises PhotoError."""
        if size == 0:
            raise PhotoError("the file is empty (0 bytes)", reason="empty", remedy="copy or take it again")
        if size > self.max_bytes:
            message = f"{size:,} bytes, more than the {self.max_bytes:,} allowed{_by(self.names.max_bytes)}"
            raise PhotoError(message, reason="too_many_bytes", remedy=_remedy(self.names.max_bytes))

    def check_size(self, width: int, height: int, kind: str, bytes_per_pixel: float) -> None:
        """Refuses too many pixels and too short a side, before anything is decoded.

        Args:
            width: Pixels.
            height: Pixels.
            kind: Format of the file, for the message.
            bytes_per_pixel: Memory that decoding this kind takes.

        Raises:
            PhotoError: With the reason ``too_many_pixels`` or ``too_small``.
        """
        allowed = int(self.max_pixels * min(1.0, BYTES_PER_PIXEL / bytes_per_pixel))
        if width * height > allowed:
            by = _by(self.names.max_pixels)
            message = f"{width} x {height} pixels, more than the {allowed:,} allowed{by}"
            if allowed < self.max_pixels:
                message += f" for {kind}, which takes {bytes_per_pixel:.0f} bytes of memory a pixel to decode"
            raise PhotoError(message, reason="too_many_pixels", remedy=_remedy(self.names.max_pixels))
        if min(width, height) < self.min_side:
            by = _by(self.names.min_side)
            message = f"{width} x {height} pixels; the shorter side must have at least {self.min_side}{by}"
            lower = f", or lower {self.names.min_side}" if self.names.min_side else ""
            remedy = f"use the original photo, not a thumbnail{lower}"
            raise PhotoError(message, reason="too_small", remedy=remedy)


# Photos that were within the limits when they were read from their folder.
ACCEPTED: Final = Limits(max_bytes=sys.maxsize, max_pixels=sys.maxsize, min_side=1)


def _by(option: str) -> str:
    """Names the option in the message too: an HTTP client is shown no remedy."""
    return f" by {option}" if option else ""


def _remedy(option: str) -> str:
    return f"reduce the photo, or raise {option}" if option else "reduce the photo"
