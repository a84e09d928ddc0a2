"""The files below a remote prefix, as the walk would find them in a copy of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phytoflow.data.ingest.file_names import is_hidden, printable
from phytoflow.data.ingest.walk import HIDDEN, FoundFile, walk
from phytoflow.storage.uri import is_local, join, list_sizes, local_path, read_bytes

_REMOTE_THREADS = 16  # most of the time of a small object is waiting for its first byte


@dataclass(frozen=True, slots=True)
class RemoteFile(FoundFile):
    """An object below the prefix.

    Attributes:
        uri: Where it is read.
        stored_bytes: Its size.
    """

    uri: str = ""
    stored_bytes: int = 0

    @property
    def location(self) -> str:
        """See FoundFile."""
        return self.uri

    def size(self) -> int:
        """See FoundFile."""
        return self.stored_bytes

    def read(self) -> bytes:
        """See FoundFile; a store that breaks off raises StorageError."""
        return read_bytes(self.uri)


def list_photos(root: Path | str) -> Iterator[FoundFile]:
    """Yields every entry of a folder or below a remote prefix.

    Raises:
        DataError: The folder cannot be listed. Raised by the call, not by the iterator.
        StorageError: The store cannot be listed.
    """
    return walk(local_path(root)) if is_local(root) else walk_remote(str(root))


def reading_threads(wanted: int, place: str) -> int:
    """Threads for reading photos: ``wanted``, or by where they are if that is 0.

    Args:
        wanted: ``data.threads``.
        place: Path or URI of a photo.
    """
    return wanted or (0 if is_local(place) else _REMOTE_THREADS)


def walk_remote(uri: str) -> Iterator[RemoteFile]:
    """Yields the objects below a prefix in the order of their names, then its hidden folders.

    Args:
        uri: ``s3://bucket/prefix``.

    Raises:
        StorageError: The store cannot be listed.
    """
    hidden: Counter[str] = Counter()
    for name, size in sorted(list_sizes(uri).items()):
        segments = name.split("/")
        if folder := _hidden_part(segments):
            hidden[folder] += 1
        else:
            path = "/".join(map(printable, segments))
            yield RemoteFile(path, Path(name), uri=join(uri, name), stored_bytes=size)
    for path, count in hidden.items():
        yield RemoteFile(path, Path(path), HIDDEN, files=count, uri=join(uri, path))


def _hidden_part(segments: list[str]) -> str:
    """Path of the first hidden folder or file on the way to an object; empty if there is none."""
    for end, segment in enumerate(segments, 1):
        if is_hidden(segment):
            return "/".join(map(printable, segments[:end]))
    return ""
