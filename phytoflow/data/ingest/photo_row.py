"""One row of the table of photos."""

from __future__ import annotations

import builtins
from dataclasses import dataclass


@dataclass(frozen=True)
class PhotoRow:
    """One row of the table; what is unknown of a file that is not used is zero or empty.

    Attributes:
        path: POSIX path relative to the root.
        label: Class; empty for a file without one.
        part: The split that the folders give the photo; empty if they give none.
        file: The path to open.
        reason: Why the file is not used; empty for a usable photo.
        skipped: Whether the file was passed over and not refused.
        files: Files that the row stands for; more than one for a hidden folder.
        outside: Whether it was reached through a link that leads out of the root.
        format: ``JPEG``, ``PNG``, ... by content.
        width: Pixels, upright.
        height: Pixels, upright.
        bytes: Size of the file.
        sha256: Checksum of the file's content.
        phash: 64-bit perceptual hash, 16 hexadecimal digits.
        brightness: Mean luminance, 0 to 1.
        animated: Whether only its first frame is used.
        misnamed: Whether its name ends as another format's does.
        profile: Colour profile other than sRGB, which is converted; ``unreadable`` if it is ignored; empty if
            there is none.
        used_bits: Bits of the samples in a file of more than 8 bits a sample; 0 for other files.
        stated_bits: Bits that the file states; 0 if it states none.
        thumbnail: The photo at 16 x 16, RGB bytes.
    """

    path: str
    label: str
    part: str
    file: str
    reason: str = ""
    skipped: bool = False
    files: int = 1
    outside: bool = False
    format: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""
    phash: str = ""
    brightness: float = 0.0
    animated: bool = False
    misnamed: bool = False
    profile: str = ""
    used_bits: int = 0
    stated_bits: int = 0
    thumbnail: builtins.bytes = b""
