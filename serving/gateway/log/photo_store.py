"""Photos that are kept: by content hash, without metadata, for as long as the policy says."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Protocol

from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.uri import is_local, local_path
from serving.gateway.log.photo_metadata import Buffer, UnstorableError, strip_metadata
from serving.gateway.metrics import PHOTOS_NOT_STORED, PHOTOS_STORED
from serving.gateway.settings import PhotoSettings

_LOG = logging.getLogger(__name__)
_SUFFIXES = (".jpg", ".png")
_MAX_WAITING_BYTES = 128 * 2**20  # of photos waiting to be stored; beyond it the newest are not stored
_KEPT_CHECK_SECONDS = 6 * 3600.0  # a store may hold a million photos: it is not listed every few minutes
KEPT, HELD = "kept", "held"


class Blobs(Protocol):
    """Where photos lie: a folder or an object store."""

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Writes a file from its parts, whole or not at all."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none."""

    def move(self, name: str, to: str) -> bool:
        """Renames a file; False if there is none."""

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""

    def remove(self, name: str) -> bool:
        """Removes a file; False if there was none."""

    def older(self, area: str, seconds: float) -> list[str]:
        """Names of an area's files that were written longer ago."""


class FolderBlobs:
    """Photos in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """See ``Blobs``."""
        with atomic_file(self._folder / name) as aside, aside.open("wb") as file:
            file.writelines(parts)

    def read(self, name: str) -> bytes | None:
        """See ``Blobs``."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def move(self, name: str, to: str) -> bool:
        """See ``Blobs``."""
        (self._folder / to).parent.mkdir(parents=True, exist_ok=True)
        try:
            (self._folder / name).replace(self._folder / to)
        except FileNotFoundError:
            return False
        return True

    def exists(self, name: str) -> bool:
        """See ``Blobs``."""
        return (self._folder / name).exists()

    def remove(self, name: str) -> bool:
        """See ``Blobs``."""
        try:
            (self._folder / name).unlink()
        except FileNotFoundError:
            return False
        return True

    def older(self, area: str, seconds: float) -> list[str]:
        """See ``Blobs``."""
        limit = time.time() - seconds
        files = (self._folder / area).rglob("*.*")
        return [path.relative_to(self._folder).as_posix() for path in files if _written(path) < limit]


class PhotoStore:
    """Stores photos by policy, after the answer, on a thread.

    Args:
        settings: Policy, place and retention.
        uri: Folder or s3:// prefix.
        on_stored: Called in the event loop with the hash of each photo that is kept.
    """

    def __init__(self, settings: PhotoSettings, uri: str, on_stored: Callable[[str], None]) -> None:
        self._settings, self._on_stored = settings, on_stored
        self._blobs = _open(uri)
        self._storing: dict[str, asyncio.Task[None]] = {}  # by hash
        self._waiting_bytes = 0
        self._kept_checked = -_KEPT_CHECK_SECONDS

    def area(self, *, known: bool | None) -> str | None:
        """Where a photo of a prediction goes by the policy; None: nowhere."""
        match self._settings.policy:
            case "all":
                return KEPT
            case "unknown":
                return KEPT if known is False else None
            case "sample":
                return KEPT if random.random() < self._settings.sample else None
            case "feedback":
                return HELD
            case _:
                return None

    def add(self, sha256: str, content: Buffer, *, known: bool | None) -> None:
        """Stores a photo in the background if the policy wants it; ``content`` is not copied."""
        area = self.area(known=known)
        if area is None or sha256 in self._storing:
            return
        if self._storing and self._waiting_bytes + len(content) > _MAX_WAITING_BYTES:
            PHOTOS_NOT_STORED.labels("busy").inc()
            return
        self._waiting_bytes += len(content)
        task = self._storing[sha256] = asyncio.create_task(self._store(area, sha256, content))
        task.add_done_callback(partial(self._done, sha256, len(content)))

    async def keep(self, sha256: str) -> bool:
        """Keeps a photo that was held for feedback; False if it is no longer there."""
        await self._settle_one(sha256)
        kept = await asyncio.to_thread(self._keep, sha256)
        if kept:
            self._on_stored(sha256)
        return kept

    async def read(self, sha256: str) -> tuple[bytes, str] | None:
        """A stored or held photo and its suffix; None if there is none."""
        await self._settle_one(sha256)
        return await asyncio.to_thread(self._read, sha256)

    async def remove(self, sha256: str) -> bool:
        """Removes a photo from wherever it is; False if there was none."""
        await self._settle_one(sha256)
        names = [_name(area, sha256, suffix) for area in (KEPT, HELD) for suffix in _SUFFIXES]
        return any([await asyncio.to_thread(self._blobs.remove, name) for name in names])

    async def enforce_retention(self) -> list[str]:
        """Removes photos past their time; returns the hashes of those that were kept."""
        await self._remove_older(HELD, self._settings.hold_minutes * 60.0)
        if time.monotonic() - self._kept_checked < _KEPT_CHECK_SECONDS:
            return []
        removed = await self._remove_older(KEPT, self._settings.retention_days * 86400.0)
        self._kept_checked = time.monotonic()
        return removed

    async def settle(self) -> None:
        """Waits for the photos that are being stored."""
        if self._storing:
            await asyncio.gather(*self._storing.values(), return_exceptions=True)

    async def _settle_one(self, sha256: str) -> None:
        if task := self._storing.get(sha256):
            await asyncio.wait([task])

    async def _remove_older(self, area: str, seconds: float) -> list[str]:
        names = await asyncio.to_thread(self._blobs.older, area, seconds)
        for name in names:
            await asyncio.to_thread(self._blobs.remove, name)
        return [PurePosixPath(name).stem for name in names]

    async def _store(self, area: str, sha256: str, content: Buffer) -> None:
        try:
            await asyncio.to_thread(self._strip_and_write, area, sha256, content)
        except UnstorableError as error:
            PHOTOS_NOT_STORED.labels("unstorable").inc()
            _LOG.warning("photo %s is not stored: %s", sha256[:12], error)
        except (StorageError, OSError, MemoryError) as error:
            PHOTOS_NOT_STORED.labels("storage").inc()
            _LOG.warning("photo %s is not stored: %s", sha256[:12], error)
        else:
            if area == KEPT:
                PHOTOS_STORED.inc()
                self._on_stored(sha256)

    def _done(self, sha256: str, size: int, task: asyncio.Task[None]) -> None:
        self._storing.pop(sha256, None)
        self._waiting_bytes -= size

    def _strip_and_write(self, area: str, sha256: str, content: Buffer) -> None:
        parts, suffix = strip_metadata(content)
        self._blobs.write(_name(area, sha256, suffix), parts)

    def _keep(self, sha256: str) -> bool:
        for suffix in _SUFFIXES:
            held, kept = _name(HELD, sha256, suffix), _name(KEPT, sha256, suffix)
            if self._blobs.exists(kept):
                self._blobs.remove(held)
                return True
            if self._blobs.move(held, kept):
                PHOTOS_STORED.inc()
                return True
        return False

    def _read(self, sha256: str) -> tuple[bytes, str] | None:
        for area in (KEPT, HELD):
            for suffix in _SUFFIXES:
                if (content := self._blobs.read(_name(area, sha256, suffix))) is not None:
                    return content, suffix
        return None


def _name(area: str, sha256: str, suffix: str) -> str:
    return f"{area}/{sha256[:2]}/{sha256}{suffix}"


def _written(path: Path) -> float:
    """When a file was written; infinitely late for one that is gone, or still being written."""
    try:
        return path.stat().st_mtime if path.is_file() else math.inf
    except FileNotFoundError:
        return math.inf


def _open(uri: str) -> Blobs:
    if is_local(uri):
        return FolderBlobs(local_path(uri))
    from serving.gateway.log.object_blobs import ObjectBlobs

    return ObjectBlobs(uri)
