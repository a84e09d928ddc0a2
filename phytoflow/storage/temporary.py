"""A folder that is removed after its use."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.storage.disk_errors import explain_disk_errors


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Makes a folder and removes it, with all that is in it, when the block ends.

    Args:
        parent: Where to make it; it is made too if it is not there. None: the system's place for temporary
            files, which ``TMPDIR`` names.

    Raises:
        StorageError: The disk is full or the place cannot be written.
    """
    parent = parent or Path(tempfile.gettempdir())
    with explain_disk_errors(parent / "phytoflow"):
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent, prefix=".phytoflow-") as folder:
            yield Path(folder)
