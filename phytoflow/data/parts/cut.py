"""Cuts the files of a source into parts of about the same number of bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phytoflow.data.ingest.remote import list_photos
from phytoflow.data.ingest.walk import FoundFile


@dataclass(frozen=True)
class Survey:
    """What all parts must agree on.

    Attributes:
        root: The folder or prefix.
        bytes: Size of all files that are to be read.
        digest: SHA-256 of paths and sizes.
    """

    root: Path | str
    bytes: int
    digest: str

    @classmethod
    def of(cls, root: Path | str) -> Survey:
        """Goes through a source once; nothing is opened, and one folder's entries are in memory at a time.

        Args:
            root: A folder, or an ``s3://`` prefix.

        Raises:
            DataError: The folder cannot be listed.
            StorageError: The store cannot be listed.
        """
        total, digest = 0, hashlib.sha256()
        for entry in list_photos(root):
            size = _size(entry)
            total += size
            digest.update(f"{entry.path} {size} {entry.skipped}\n".encode())
        return cls(root, total, digest.hexdigest())

    def part(self, number: int, parts: int) -> Iterator[FoundFile]:
        """Yields the entries of one part; each entry is in one part.

        Args:
            number: Of the part, from 0.
            parts: How many there are.
        """
        return (entry for entry, part in self._numbered(parts) if part == number)

    def parts(self, parts: int) -> Iterator[list[FoundFile]]:
        """Yields the entries of each part in turn; the source is listed once for all of them.

        Args:
            parts: How many there are.
        """
        entries: list[FoundFile] = []
        at = 0
        for entry, part in self._numbered(parts):
            while at < part:
                yield entries
                entries, at = [], at + 1
            entries.append(entry)
        for _ in range(at, parts):
            yield entries
            entries = []

    def _numbered(self, parts: int) -> Iterator[tuple[FoundFile, int]]:
        """Each entry with the number of its part."""
        before = 0
        for entry in list_photos(self.root):
            yield entry, self._part_at(before, parts)
            before += _size(entry)

    def _part_at(self, before: int, parts: int) -> int:
        """The part of an entry that begins after so many bytes."""
        return min(before * parts // self.bytes, parts - 1) if self.bytes else 0


def _size(entry: FoundFile) -> int:
    """Bytes to read; none of a file that is skipped or that cannot be looked at."""
    try:
        return 0 if entry.skipped else entry.size()
    except OSError:
        return 0
