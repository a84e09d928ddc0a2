"""Writes shards and their index; ``phytoflow.data.shards.format`` describes both."""

from __future__ import annotations

import hashlib
import json
import tarfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from phytoflow.data.images.decode import open_photo
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.limits import ACCEPTED
from phytoflow.data.shards.format import INDEX_FILE, ShardEntry, ShardIndex
from phytoflow.errors import PhotoError
from phytoflow.storage.atomic import atomic_file

_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif", "HEIF": "heic"}


def write_shards(
    split: str,
    photos: Iterable[LabelledPhoto],
    label_index: dict[str, int],
    folder: Path,
    shard_bytes: int,
) -> list[ShardEntry]:
    """Writes ``folder/SPLIT-000000.tar`` and so on; holds one photo in memory at a time.

    Training shuffles the shards and the photos within a few shards. Pass training photos in shuffled order;
    otherwise the batches of a set of more than four shards are less mixed than they could be.

    Args:
        split: Name of the split, the prefix of the files' names.
        photos: The photos, in the order in which they are written.
        label_index: Class number of each label.
        folder: Folder of the tar files; must exist.
        shard_bytes: A shard is closed once it holds this many bytes.

    Returns:
        One entry a shard; empty if there are no photos.
    """
    entries: list[ShardEntry] = []
    shard: _Shard | None = None
    for number, photo in enumerate(photos):
        shard = shard or _Shard(split, len(entries), folder)
        shard.add(f"{number:08d}", photo, label_index[photo.label])
        if shard.size >= shard_bytes:
            entries.append(shard.close())
            shard = None
    if shard:
        entries.append(shard.close())
    return entries


def write_index(folder: Path, entries: Iterable[ShardEntry]) -> None:
    """Writes ``folder/index.json``."""
    with atomic_file(folder / INDEX_FILE) as path:
        path.write_text(ShardIndex(shards=tuple(entries)).model_dump_json(), encoding="utf-8")


def sample_bytes(photo: LabelledPhoto, key: str, label: int) -> bytes:
    """Returns the tar blocks of one sample; the same photo always gives the same bytes."""
    about = {"path": photo.path, "label": photo.label, "group": photo.group}
    members = {
        image_extension(photo.content): photo.content,
        "cls": str(label).encode(),
        "json": json.dumps(about).encode(),
    }
    return b"".join(_member(f"{key}.{extension}", content) for extension, content in members.items())


def image_extension(content: bytes) -> str:
    """``jpg``, ``png``, ... by content: a file's name may say otherwise. ``img`` if it is no photo."""
    try:
        image_format = str(open_photo(content, ACCEPTED).format)
    except PhotoError:
        return "img"
    return _EXTENSIONS.get(image_format, image_format.lower())


def _member(name: str, content: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    padding = -len(content) % tarfile.BLOCKSIZE
    return info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(padding)


class _Shard:
    """A tar file being written."""

    def __init__(self, split: str, number: int, folder: Path) -> None:
        self.split = split
        self.path = folder / f"{split}-{number:06d}.tar"
        self.file = self.path.open("wb")
        self.hash = hashlib.sha256()
        self.offsets, self.labels, self.checksums = [0], list[int](), list[int]()

    @property
    def size(self) -> int:
        return self.offsets[-1]

    def add(self, key: str, photo: LabelledPhoto, label: int) -> None:
        block = sample_bytes(photo, key, label)
        self._write(block)
        self.offsets.append(self.size + len(block))
        self.labels.append(label)
        self.checksums.append(zlib.crc32(block))

    def close(self) -> ShardEntry:
        self._write(bytes(2 * tarfile.BLOCKSIZE))  # a tar file ends with two empty blocks
        self.file.close()
        return ShardEntry(
            split=self.split,
            file=self.path.name,
            count=len(self.labels),
            bytes=self.path.stat().st_size,
            sha256=self.hash.hexdigest(),
            offsets=tuple(self.offsets),
            labels=tuple(self.labels),
            checksums=tuple(self.checksums),
        )

    def _write(self, block: bytes) -> None:
        self.file.write(block)
        self.hash.update(block)
