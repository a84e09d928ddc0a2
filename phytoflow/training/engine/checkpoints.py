"""Checkpoint store: a folder or ``s3://`` prefix in which a killed training finds what it had finished.

A training keeps three things here: the checkpoints of its fits, the cached features, and at its end the
trained model. The model stays until the caller removes it, once it is stored elsewhere: killed in between,
the same training takes it from here at once.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.uri import (
    exists,
    fetch_folder,
    is_local,
    join,
    local_path,
    open_uri,
    put_file,
    put_folder,
)

_RESULT = "result"
_RESULT_DONE = "result.done"  # written after the result: in an object store its files appear one by one
_SCRATCH = "scratch"


def fingerprint(**values: Any) -> str:
    """Sixteen hexadecimal digits that identify JSON values: they change when a value does."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]


class CheckpointStore:
    """Files of one training by name. Each is complete or absent.

    Args:
        uri: Folder or URI of all checkpoints.
        key: Fingerprint of data, settings and code: other trainings never resume from these files.
        scratch: Local folder for what is too large to send to a remote store.

    Attributes:
        key: As given.
        scratch: Local folder of this training alone. With a local ``uri`` it is part of the store, so that
            its content survives a kill too.
    """

    def __init__(self, uri: str, key: str, scratch: Path) -> None:
        self.key = key
        self.uri = join(uri, key)
        self.scratch = local_path(self.uri) / _SCRATCH if is_local(uri) else scratch

    def get(self, name: str) -> Path | None:
        """Returns a local copy of a file, or None if it was never put."""
        uri = join(self.uri, name)
        if not exists(uri):
            return None
        if is_local(uri):
            return local_path(uri)
        with atomic_file(self.scratch / name) as copy, open_uri(uri) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        return self.scratch / name

    def put(self, name: str, write: Callable[[Path], object]) -> None:
        """Writes a file under a name and replaces what was there.

        Args:
            name: The file's name in the store.
            write: Writes the file's content to the path it is given.

        Raises:
            StorageError: The disk is full, or the store cannot be written.
        """
        uri = join(self.uri, name)
        if is_local(uri):
            with atomic_file(local_path(uri)) as aside:
                write(aside)
            return
        with atomic_file(self.scratch / name) as aside:
            write(aside)
            put_file(aside, uri)

    def put_result(self, folder: Path) -> None:
        """Stores the trained model's folder and drops what only an unfinished training needs."""
        put_folder(folder, join(self.uri, _RESULT))
        self.put(_RESULT_DONE, lambda path: path.write_text("complete\n"))
        shutil.rmtree(self.scratch, ignore_errors=True)
        if is_local(self.uri):
            _remove_all_but_result(local_path(self.uri))

    def has_result(self) -> bool:
        """Whether this training has finished before."""
        return exists(join(self.uri, _RESULT_DONE))

    def fetch_result(self, to: Path) -> Path:
        """Copies the trained model's folder to a local folder and returns it."""
        if is_local(self.uri):
            put_folder(local_path(join(self.uri, _RESULT)), to)
            return to
        return fetch_folder(join(self.uri, _RESULT), to)


def _remove_all_but_result(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name in (_RESULT, _RESULT_DONE):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
