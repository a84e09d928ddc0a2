"""Where a killed training finds what it had done: a folder or ``s3://`` prefix named by a fingerprint."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from phytoflow.storage.uri import exists, is_local, join, local_path, open_uri, put_file


def fingerprint(**facts: Any) -> str:
    """Sixteen hexadecimal digits that name these facts (JSON values): other facts, other digits."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


class CheckpointStore:
    """Files of one training by name, each whole or absent.

    Args:
        uri: Folder or URI of all checkpoints.
        key: Fingerprint of data, settings and code: other work never resumes from these files.
        beside: A local folder for what is too large to send to a remote store.

    Attributes:
        scratch: Local folder of this training alone: with the checkpoints where those are local, so that
            what lies in it outlives a kill too.
    """

    def __init__(self, uri: str, key: str, beside: Path) -> None:
        self.uri = join(uri, key)
        self.scratch = local_path(self.uri) / "scratch" if is_local(uri) else beside
        self.scratch.mkdir(parents=True, exist_ok=True)

    def get(self, name: str) -> Path | None:
        """A local copy of a file, or None if it was never put."""
        uri = join(self.uri, name)
        if not exists(uri):
            return None
        if is_local(uri):
            return local_path(uri)
        copy = self.scratch / name
        with open_uri(uri) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        return copy

    def put(self, name: str, path: Path) -> None:
        """Keeps a file under a name, replacing what was there."""
        put_file(path, join(self.uri, name))

    def clear(self) -> None:
        """Removes what is kept locally; objects in a store are left to its life-cycle rules."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        if is_local(self.uri):
            shutil.rmtree(local_path(self.uri), ignore_errors=True)
