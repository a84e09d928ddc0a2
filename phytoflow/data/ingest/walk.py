"""The one walk through a folder of photos: scanning, versioning, predicting and collecting all use it.

Only names are read. Symbolic links are followed, also out of the folder, and what was reached through such a
link says so. Loops end: a link to a folder that contains it, or that contains the root, is not followed, and
below one first-level folder no folder is entered twice through links. However folders are linked, the work
is bounded by their number.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from phytoflow.data.ingest.file_names import is_hidden, printable
from phytoflow.errors import DataError

LAYOUT_REMEDY = "give a folder with one sub-folder a class, e.g. photos/healthy/1.jpg and photos/rust/2.jpg"
EMPTY_FOLDER = "empty folder"
UNREADABLE_FOLDER = "unreadable folder"
HIDDEN = "hidden or system file"
LINK_LOOP = "symbolic link loop"
LINK_REPEATED = "link to a folder that is read already"
SPECIAL_FILE = "not a regular file"  # a pipe, socket or device: opening one may wait for ever
_Identity = tuple[int, int]  # device and inode: the folder itself, by whatever path it was reached


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One entry of the tree.

    Attributes:
        path: POSIX path relative to the root, valid UTF-8 and unique, whatever bytes the names hold.
        file: The path to open.
        skipped: Why it is not opened, e.g. ``"broken link"``; empty for a file to read.
        files: How many files it stands for: 1, but for a hidden folder the number of files in it, and 0
            for an empty folder.
        linked: Whether it was reached through a link.
        outside: Whether that link leads out of the root.
    """

    path: str
    file: Path
    skipped: str = ""
    files: int = 1
    linked: bool = False
    outside: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """The segments of ``path``: folders first, the entry's own name last."""
        return tuple(self.path.split("/"))

    @property
    def location(self) -> str:
        """Path or URI that ``phytoflow.storage.uri`` opens."""
        return str(self.file)

    def size(self) -> int:
        """Size in bytes; raises OSError."""
        return self.file.stat().st_size

    def read(self) -> bytes:
        """The content; raises OSError."""
        return self.file.read_bytes()


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to be listed.

    Attributes:
        file: The path to open.
        path: Printable path relative to the root; empty for the root.
        ancestors: Identities of the folders it lies in, the root's own parents among them.
        linked: Whether a link was followed on the way.
        outside: Whether it lies outside the root.
        seen: Identities of the folders listed below the same first-level folder; one set for all of them.
    """

    file: Path
    path: str = ""
    ancestors: frozenset[_Identity] = frozenset()
    linked: bool = False
    outside: bool = False
    seen: set[_Identity] = field(default_factory=set)


def walk(root: Path) -> Iterator[FoundFile]:
    """Yields everything below ``root``, folder by folder, sorted by name within each.

    Memory is bounded by the entries of the folders on the way down, and by the number of folders.

    Args:
        root: A local folder.

    Returns:
        An iterator over files to read and over what is skipped, with its reason: hidden and system files,
        broken links, loops, pipes, sockets and devices, folders that cannot be read, and empty folders.

    Raises:
        DataError: ``root`` is not a folder that can be listed. Raised by the call, not by the iterator.
    """
    try:
        os.scandir(root).close()
    except OSError as error:
        raise _refuse_root(root, error) from error
    return _walk(root)


def _refuse_root(root: Path, error: OSError) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"there is no folder of photos at {root}", remedy=f"check the path; {LAYOUT_REMEDY}")
    if isinstance(error, NotADirectoryError):
        remedy = f"unpack it if it is an archive; {LAYOUT_REMEDY}"
        return DataError(f"{root} is a file, not a folder of photos", remedy=remedy)
    what = f"the folder of photos {root} cannot be listed: {error.strerror}"
    return DataError(what, remedy="give this user the right to read and enter the folder")


def _walk(root: Path) -> Iterator[FoundFile]:
    real = root.resolve()
    start = _Folder(root, ancestors=frozenset(_identity(folder) for folder in real.parents))
    waiting: list[Iterator[_Folder | FoundFile]] = [iter((start,))]
    while waiting:  # a stack instead of recursion: folders may be nested deeper than Python's calls
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
        elif isinstance(entry, FoundFile):
            yield entry
        else:
            waiting.append(_list(entry, real))


def _list(folder: _Folder, root: Path) -> Iterator[_Folder | FoundFile]:
    """Yields what is in a folder, sorted by name, or the one reason why it is not entered."""
    try:
        identity = _identity(folder.file)
        with os.scandir(folder.file) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        yield _skip(folder, f"{UNREADABLE_FOLDER}: {error.strerror}")
        return
    if identity in folder.ancestors:
        yield _skip(folder, LINK_LOOP)
    elif folder.linked and identity in folder.seen:
        yield _skip(folder, LINK_REPEATED)
    elif not entries and folder.path:
        yield replace(_skip(folder, EMPTY_FOLDER), files=0)
    else:
        folder.seen.add(identity)
        here = replace(folder, ancestors=folder.ancestors | {identity})
        yield from (_examine(entry, here, root) for entry in entries)


def _examine(entry: os.DirEntry[str], folder: _Folder, root: Path) -> _Folder | FoundFile:
    """Decides what becomes of one entry; a plain file or folder costs no system call."""
    name = printable(entry.name)
    child = replace(folder, file=Path(entry.path), path=f"{folder.path}/{name}" if folder.path else name)
    if is_hidden(entry.name):
        return replace(_skip(child, HIDDEN), files=_count_files(entry))
    if entry.is_symlink():
        return _follow(child, root)
    if entry.is_dir(follow_symlinks=False):
        return child if folder.path else replace(child, seen=set())
    return _skip(child, "" if entry.is_file(follow_symlinks=False) else SPECIAL_FILE)


def _follow(link: _Folder, root: Path) -> _Folder | FoundFile:
    """What a link leads to; ``link.path`` has no slash if the link lies in the root."""
    try:
        mode = link.file.stat().st_mode
        target = link.file.resolve(strict=True)
    except PermissionError as error:
        return _skip(link, f"unreadable: {error.strerror}")
    except (OSError, RuntimeError):  # RuntimeError: a link to itself, before Python 3.13
        return _skip(link, "broken link")
    link = replace(link, linked=True, outside=not target.is_relative_to(root))
    if stat.S_ISDIR(mode):
        return link if "/" in link.path else replace(link, seen=set())
    return _skip(link, "" if stat.S_ISREG(mode) else SPECIAL_FILE)


def _skip(entry: _Folder, reason: str) -> FoundFile:
    return FoundFile(entry.path, entry.file, reason, linked=entry.linked, outside=entry.outside)


def _identity(path: Path) -> _Identity:
    status = path.stat()
    return status.st_dev, status.st_ino


def _count_files(entry: os.DirEntry[str]) -> int:
    """Files in a hidden folder, so that every file is counted though none of them is listed."""
    if not entry.is_dir(follow_symlinks=False):
        return 1
    return sum(len(names) for _, _, names in os.walk(entry.path))
