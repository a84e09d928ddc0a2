"""What a file's name tells before it is opened, and how it is written in tables and messages."""

from __future__ import annotations

import os
from collections.abc import Iterable

# Written by Windows, macOS and network drives into folders that people copy; compared in lower case.
_SYSTEM_NAMES = frozenset(
    {"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r", "__macosx", "@eadir"}
    | {"$recycle.bin", "#recycle", "system volume information", "lost+found", "__pycache__"}
)
# A file named so is meant as a picture, even if its format cannot be read.
_PHOTO_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".webp", ".gif"}
    | {".tif", ".tiff", ".bmp", ".dib", ".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jxl", ".psd"}
    | {".svg", ".ico", ".ppm", ".pgm", ".pbm", ".pnm", ".tga", ".dng", ".cr2", ".cr3", ".nef", ".arw"}
    | {".orf", ".rw2", ".raf", ".raw", ".pef", ".srw"}
)


def is_hidden(name: str) -> bool:
    """Tells whether a file or folder of this name belongs to the system or to a tool, not to the photos."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def is_photo_name(name: str) -> bool:
    """Tells whether a name ends as a picture's does, readable or not."""
    return os.path.splitext(name)[1].lower() in _PHOTO_SUFFIXES  # noqa: PTH122 (a name, not a path)


def printable(name: str) -> str:
    r"""A file name as valid UTF-8; different names stay different.

    Names are bytes on Linux. In a name that is not UTF-8 the offending bytes become ``\xNN``; there, and in
    a name that holds ``\x`` itself, backslashes are doubled.
    """
    raw = os.fsencode(name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return text.replace("\\", "\\\\") if "\\x" in text else text


def for_terminal(text: str) -> str:
    r"""A text on one line, without control characters, which could rewrite what a terminal shows."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def name_some(names: Iterable[str], most: int = 5) -> str:
    """The first few of some names, for a message; the rest is counted."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
