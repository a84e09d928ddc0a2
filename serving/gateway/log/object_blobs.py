"""Photos in an object store, through ``phytoflow.storage``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from phytoflow.errors import StorageError
from phytoflow.storage import s3
from phytoflow.storage.uri import join, put_file, read_bytes
from serving.gateway.log.photo_metadata import Buffer


class ObjectBlobs:
    """Photos below an s3:// or gs:// prefix; see ``photo_store.Blobs``."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def write(self, name: str, parts: Sequence[Buffer]) -> None:
        """Writes an object, whole or not at all."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "photo"
            with file.open("wb") as opened:
                opened.writelines(parts)
            put_file(file, join(self._uri, name))

    def read(self, name: str) -> bytes | None:
        """An object's content; None if there is none."""
        try:
            return read_bytes(join(self._uri, name))
        except StorageError:
            if self.exists(name):
                raise
            return None

    def move(self, name: str, to: str) -> bool:
        """Copies an object and removes the first; False if there is none."""
        content = self.read(name)
        if content is None:
            return False
        self.write(to, [content])
        self.remove(name)
        return True

    def exists(self, name: str) -> bool:
        """Whether there is such an object."""
        return s3.exists(join(self._uri, name))

    def remove(self, name: str) -> bool:
        """Removes an object; False if there was none."""
        found = self.exists(name)
        s3.remove(join(self._uri, name))
        return found

    def older(self, area: str, seconds: float) -> list[str]:
        """Names of an area's objects that were written longer ago."""
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        return [
            f"{area}/{name}"
            for name, written in s3.modified(join(self._uri, area)).items()
            if written < limit
        ]
