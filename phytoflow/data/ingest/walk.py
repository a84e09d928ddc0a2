"""Finding the files of a class-folder tree without opening one."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phytoflow.errors import DataError

_REMEDY = "give a folder with one sub-folder a class, e.g. photos/healthy/1.jpg and photos/rust/2.jpg"
LOOSE = "beside the class folders, not in one"
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin"}


@dataclass(frozen=True)
class FoundFile:
    """One entry of the tree.

    Attributes:
        path: POSIX path relative to the root, printable in UTF-8 whatever bytes the name holds.
        label: Name of the first-level folder, Unicode NFC; empty for a file beside the class folders.
        file: The path to open.
        reason: Why it is no photo, e.g. ``"broken link"``; empty for a file worth opening.
    """

    path: str
    label: str
    file: Path
    reason: str = ""


def walk(root: Path) -> list[FoundFile]:
    """Lists every file below ``root``, sorted by path.

    Links are followed, loops are not; pipes, sockets and devices are listed and never opened; a folder
    that cannot be read is listed as one entry.

    Raises:
        DataError: ``root`` is no folder that can be read, or holds no files.
    """
    _listed(root)
    found = sorted(_below(root, root, ()), key=lambda entry: entry.path)
    if not found:
        raise DataError(f"{root} holds no files", remedy=_REMEDY)
    return found


def class_folders(root: Path) -> list[str]:
    """Labels of the visible first-level folders, sorted, whether or not they hold photos.

    Raises:
        DataError: ``root`` is no folder that can be read.
    """
    folders = (entry for entry in _listed(root) if not _is_hidden(entry.name) and entry.is_dir())
    return sorted({_label(entry.name) for entry in folders})


def _listed(root: Path) -> list[Path]:
    try:
        return list(root.iterdir())
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        what = "does not exist" if missing else f"cannot be listed: {error.strerror}"
        raise DataError(f"the folder of photos {root} {what}", remedy=_REMEDY) from error


def _below(root: Path, folder: Path, ancestors: tuple[tuple[int, int], ...]) -> Iterator[FoundFile]:
    identity = folder.stat()
    here = (identity.st_dev, identity.st_ino)
    if here in ancestors:
        yield _found(root, folder, "symbolic link loop")
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield _found(root, folder, f"unreadable folder: {error.strerror}")
        return
    for entry in entries:
        yield from _entry(root, Path(entry.path), (*ancestors, here))


def _entry(root: Path, path: Path, ancestors: tuple[tuple[int, int], ...]) -> Iterator[FoundFile]:
    if _is_hidden(path.name):
        yield _found(root, path, "hidden or system file")
        return
    try:
        mode = path.stat().st_mode
    except OSError as error:
        yield _found(root, path, "broken link" if path.is_symlink() else f"unreadable: {error.strerror}")
        return
    if stat.S_ISDIR(mode):
        yield from _below(root, path, ancestors)
    else:
        yield _found(root, path, "" if stat.S_ISREG(mode) else "not a regular file")


def _found(root: Path, path: Path, reason: str) -> FoundFile:
    parts = path.relative_to(root).parts
    # A folder listed in place of what is in it counts as its own class; a loose file has none.
    label = _label(parts[0]) if len(parts) > 1 or path.is_dir() else ""
    reason = reason or ("" if label else LOOSE)
    return FoundFile(_printable("/".join(parts)), label, path, reason)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def _label(name: str) -> str:
    """One spelling a class: macOS writes decomposed Unicode, everything else composed."""
    return unicodedata.normalize("NFC", _printable(name))


def _printable(name: str) -> str:
    """Names are bytes on Linux; those that are not UTF-8 keep them as ``\\xNN``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
