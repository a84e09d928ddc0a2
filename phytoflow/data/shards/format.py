"""Shards: photos in tar files of the WebDataset format, with an index of byte ranges.

A sample is three neighbouring members ``KEY.<image>``, ``KEY.cls`` and ``KEY.json``. The index has each
sample's byte range, label and checksum. A shard can therefore be streamed in order or read at any position,
and a shard that is truncated or altered is detected at the first affected photo.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO

from pydantic import BaseModel, ConfigDict

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import StorageError

INDEX_FILE = "index.json"
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
