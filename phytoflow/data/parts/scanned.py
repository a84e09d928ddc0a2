"""What was scanned before the photos are checked: nothing, some parts, or all of them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from phytoflow.data.ingest.inspect import CheckedPhotos, check, check_table
from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.parts.scan import merge_parts, scan_in_parts
from phytoflow.data.settings import DataSettings
from phytoflow.data.sources.resolve import data_version
from phytoflow.provenance import code_version


@dataclass(frozen=True)
class Scanned:
    """Tables of parts.

    Attributes:
        files: The tables of all parts, scanned elsewhere; empty: they are scanned here.
        folder: Keeps the parts that are scanned here until the dataset is written.
    """

    files: Sequence[Path] = ()
    folder: Path | None = None

    def in_one_go(self, settings: DataSettings) -> bool:
        """Whether all photos are scanned here and in memory, as a small set is."""
        return not self.files and (settings.parts == 1 or self.folder is None)

    def check(self, source: str, root: Path | str, settings: DataSettings, seed: int) -> CheckedPhotos:
        """Scans what is not yet scanned, then checks, groups and splits all photos.

        Args:
            source: Where the photos are, for their version.
            root: What ``open_source`` gives for it; copied if all is scanned in one go.
            settings: Labels, limits, groups and shares.
            seed: Seed of the split.

        Raises:
            DataError: Training on these photos would be meaningless, or they changed meanwhile.
            StorageError: The photos or a part cannot be read.
        """
        if self.in_one_go(settings):
            return check(Path(root), settings, seed)
        labels = read_labels(root, settings)
        if self.files:
            table = merge_parts(self.files, root)
        else:
            assert self.folder is not None
            version = scan_version(data_version(source, settings), settings)
            table = scan_in_parts(root, labels, settings, version, self.folder)
        return check_table(table, labels, root, settings, seed)

    def clear(self) -> None:
        """Removes the parts that were scanned here; they are in the dataset now."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def scan_version(data: str, settings: DataSettings) -> str:
    """What the tables of all parts must agree on: photos, settings and code, as a short hash.

    Args:
        data: Version of the photos.
        settings: What is read of them.
    """
    text = settings.model_dump_json(exclude={"parts", "threads"})
    return hashlib.sha256(f"{data} {text} {code_version()}".encode()).hexdigest()[:16]
