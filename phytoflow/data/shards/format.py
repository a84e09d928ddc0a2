"""Shards: photos in tar files of the WebDataset format, with an index of byte ranges.

A sample is three neighbouring members ``KEY.<image>``, ``KEY.cls`` and ``KEY.json``. The index has each
sample's byte range, label and checksum. A shard can therefore be streamed in order or read at any position,
and a shard that is truncated or altered is detected at the first affected photo.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict

from phytoflow.data.images.decode import open_photo
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.limits import ACCEPTED
from phytoflow.errors import PhotoError, StorageError
from phytoflow.storage.atomic import atomic_file

INDEX_FILE = "index.json"
_EXTENSIONS = {"JPEG": "jpg", "MPO": "jpg", "TIFF": "tif", "HEIF": "heic"}
REMEDY = "run the preprocess step again; if the folder is a copy, copy it again"


class ShardEntry(BaseModel):
    """One shard's entry in the index.

    Attributes:
        split: ``train``, ``validation`` or ``test``.
        file: Name of the tar file, in the same folder as the index.
        count: Number of samples.
        bytes: Size of the tar file.
        sha256: Checksum of the tar file.
        offsets: ``count + 1`` byte positions: sample ``i`` is ``offsets[i]:offsets[i + 1]``.
        labels: Class number of each sample.
        checksums: CRC-32 of each sample's bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    split: str
    file: str
    count: int
    bytes: int
    sha256: str
    offsets: tuple[int, ...]
    labels: tuple[int, ...]
    checksums: tuple[int, ...]


class ShardIndex(BaseModel):
    """``index.json``: every shard of a dataset, in order."""

    schema_version: int = 1
    shards: tuple[ShardEntry, ...]


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


def parse_sample(block: bytes, where: str) -> LabelledPhoto:
    """Returns the photo in one sample's tar blocks.

    Raises:
        StorageError: The blocks are not such a sample; ``where`` names it.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(block), mode="r:") as tar:
            members = {m.name.partition(".")[2]: tar.extractfile(m).read() for m in tar}  # type: ignore[union-attr]
        about = json.loads(members.pop("json"))
        members.pop("cls")
        (content,) = members.values()
        return LabelledPhoto(about["path"], about["label"], about["group"], content)
    except (tarfile.TarError, KeyError, ValueError, AttributeError) as error:
        raise StorageError(
            f"{where} is not a sample of a phytoflow shard ({error}).", remedy=REMEDY
        ) from error


def read_sample(block: bytes, entry: ShardEntry, number: int, source: str) -> LabelledPhoto:
    """Returns sample ``number`` of a shard from its bytes, after comparing them with the index.

    Raises:
        StorageError: Bytes are missing or altered.
    """
    if len(block) < entry.offsets[number + 1] - entry.offsets[number]:
        what = (
            f"{source} holds fewer than the {entry.count} photos of its index: it ends in photo {number + 1}"
        )
        raise StorageError(what, remedy=REMEDY)
    if zlib.crc32(block) != entry.checksums[number]:
        raise StorageError(f"{source}: photo {number + 1} of {entry.count} was altered", remedy=REMEDY)
    return parse_sample(block, f"{source}, photo {number + 1}")


def stream_shard(file: IO[bytes], entry: ShardEntry, source: str) -> Iterator[LabelledPhoto]:
    """Yields the photos of one shard in order, from a stream that cannot seek; one in memory at a time."""
    for number in range(entry.count):
        size = entry.offsets[number + 1] - entry.offsets[number]
        yield read_sample(file.read(size), entry, number, source)


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
