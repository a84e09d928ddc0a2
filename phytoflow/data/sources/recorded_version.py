"""The version of the photos that was last trained on, recorded in a small file or object."""

from __future__ import annotations

import tempfile
from pathlib import Path

from phytoflow.storage.uri import exists, put_file, read_bytes


def read_recorded_version(uri: str) -> str:
    """Returns the recorded version. Empty if none was recorded.

    Raises:
        StorageError: The store cannot be read.
    """
    return read_bytes(uri).decode().strip() if exists(uri) else ""


def record_version(version: str, uri: str) -> None:
    """Records a version.

    Raises:
        StorageError: The store cannot be written.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "version"
        file.write_text(f"{version}\n")
        put_file(file, uri)
