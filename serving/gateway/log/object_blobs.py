"""Photos in an object store, through ``phytoflow.storage``."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from phytoflow.errors import StorageError
from phytoflow.storage import s3
from phytoflow.storage.uri import join, put_file, read_bytes


class ObjectBlobs:
    """Photos below an s3:// or gs:// prefix; see ``photo_store.Blobs``."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def write(self, name: str, content: bytes) -> None:
        """Writes an object, whole or not at all."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "photo"
            file.write_bytes(content)
            put_file(file, join(self._uri, name))

    def read(self, name: str) -> bytes | None:
        """An object's content; None if there is none."""
        try:
            return read_bytes(join(self._uri, name))
        except StorageError:
            if s3.exists(join(self._uri, name)):
                raise
            return None

    def remove(self, name: str) -> None:
        """Removes an object; nothing happens if there is none."""
        s3.remove(join(self._uri, name))

    def older(self, area: str, seconds: float) -> list[str]:
        """Names of an area's objects that were written longer ago."""
        limit = datetime.now(UTC) - timedelta(seconds=seconds)
        return [
            f"{area}/{name}"
            for name, written in s3.modified(join(self._uri, area)).items()
            if written < limit
        ]
