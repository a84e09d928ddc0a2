"""Opens a source for as long as its photos are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.data.sources.resolve import SAMPLE, is_archive, localise_source
from phytoflow.storage.temporary import temporary_folder
from phytoflow.storage.uri import is_local, local_path


@contextmanager
def open_source(source: str, work: Path, seed: int, copy: bool = True) -> Iterator[Path | str]:
    """Makes the photos of a source readable.

    Args:
        source: As for ``localise_source``.
        work: Folder for photos from elsewhere, for as long as they are needed.
        seed: Seed of the sample.
        copy: Whether photos in an object store are copied to ``work`` first.

    Yields:
        A local folder. Without ``copy``: its full path, or the prefix of photos in a store.

    Raises:
        DataError: The archive cannot be used.
        StorageError: The store cannot be read, or ``work`` not be written.
    """
    if is_local(source) and source != SAMPLE:
        yield local_path(source) if copy else local_path(source).absolute()
    elif source != SAMPLE and not copy and not is_archive(source):
        yield source.rstrip("/")
    else:
        with temporary_folder(work) as folder:
            yield localise_source(source, folder.absolute(), seed)
