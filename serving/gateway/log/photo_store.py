"""Photos that are kept: by content hash, without metadata, for as long as the policy says."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.uri import is_local, local_path
from serving.gateway.log.photo_metadata import UnstorableError, strip_metadata
from serving.gateway.metrics import PHOTOS_STORED
from serving.gateway.settings import PhotoSettings

_LOG = logging.getLogger(__name__)
_SUFFIXES = (".jpg", ".png")
_MAX_WAITING = 64  # photos waiting to be stored; beyond it the newest are not stored
KEPT, HELD = "kept", "held"


class Blobs(Protocol):
    """Where photos lie: a folder or an object store."""

    def write(self, name: str, content: bytes) -> None:
        """Writes a file, whole or not at all."""

    def read(self, name: str) -> bytes | None:
        """A file's content; None if there is none."""

    def remove(self, name: str) -> None:
        """Removes a file; nothing happens if there is none."""

    def older(self, area: str, seconds: float) -> list[str]:
        """Names of an area's files that were written longer ago."""


class FolderBlobs:
    """Photos in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: bytes) -> None:
        """See ``Blobs``."""
        with atomic_file(self._folder / name) as aside:
            aside.write_bytes(content)

    def read(self, name: str) -> bytes | None:
        """See ``Blobs``."""
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def remove(self, name: str) -> None:
        """See ``Blobs``."""
        (self._folder / name).unlink(missing_ok=True)

    def older(self, area: str, seconds: float) -> list[str]:
        """See ``Blobs``."""
        limit = time.time() - seconds
        files = (self._folder / area).rglob("*.*")
        old = (path for path in files if path.is_file() and path.stat().st_mtime < limit)
        return [path.relative_to(self._folder).as_posix() for path in old]


class PhotoStore:
    """Stores photos by policy, after the answer, on a thread.

    Args:
        settings: Policy, place and retention.
        uri: Folder or s3:// prefix.
        on_stored: Told the hash of each photo that is kept.
    """

    def __init__(self, settings: PhotoSettings, uri: str, on_stored: Callable[[str], None]) -> None:
        self._settings, self._on_stored = settings, on_stored
        self._blobs = _open(uri)
        self._tasks: set[asyncio.Task[None]] = set()

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

    def add(self, sha256: str, content: bytes | bytearray, *, known: bool | None) -> None:
        """Stores a photo in the background if the policy wants it."""
        area = self.area(known=known)
        if area is None or len(self._tasks) >= _MAX_WAITING:
            return
        task = asyncio.create_task(self._store(area, sha256, bytes(content)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def keep(self, sha256: str) -> bool:
        """Keeps a photo that was held for feedback; False if it is no longer there."""
        await self.settle()
        return await asyncio.to_thread(self._keep, sha256)

    async def read(self, sha256: str) -> tuple[bytes, str] | None:
        """A stored or held photo and its suffix; None if there is none."""
        await self.settle()
        return await asyncio.to_thread(self._read, sha256)

    async def remove(self, sha256: str) -> None:
        """Removes a photo from wherever it is."""
        for area in (KEPT, HELD):
            for suffix in _SUFFIXES:
                await asyncio.to_thread(self._blobs.remove, _name(area, sha256, suffix))

    async def enforce_retention(self) -> int:
        """Removes photos past their time; returns how many."""
        ages = {KEPT: self._settings.retention_days * 86400.0, HELD: self._settings.hold_minutes * 60.0}
        removed = 0
        for area, seconds in ages.items():
            for name in await asyncio.to_thread(self._blobs.older, area, seconds):
                await asyncio.to_thread(self._blobs.remove, name)
                removed += 1
        return removed

    async def settle(self) -> None:
        """Waits for the photos that are being stored."""
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _store(self, area: str, sha256: str, content: bytes) -> None:
        try:
            plain, suffix = await asyncio.to_thread(strip_metadata, content)
            await asyncio.to_thread(self._blobs.write, _name(area, sha256, suffix), plain)
        except (UnstorableError, StorageError, OSError) as error:
            _LOG.warning("photo %s is not stored: %s", sha256[:12], error)
            return
        if area == KEPT:
            PHOTOS_STORED.inc()
            self._on_stored(sha256)

    def _keep(self, sha256: str) -> bool:
        for suffix in _SUFFIXES:
            if self._blobs.read(_name(KEPT, sha256, suffix)) is not None:
                return True
            if (content := self._blobs.read(_name(HELD, sha256, suffix))) is not None:
                self._blobs.write(_name(KEPT, sha256, suffix), content)
                self._blobs.remove(_name(HELD, sha256, suffix))
                PHOTOS_STORED.inc()
                self._on_stored(sha256)
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


def _open(uri: str) -> Blobs:
    if is_local(uri):
        return FolderBlobs(local_path(uri))
    from serving.gateway.log.object_blobs import ObjectBlobs

    return ObjectBlobs(uri)
