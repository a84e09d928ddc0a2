"""The reference that served photos are compared with, from the champion's bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phytoflow.bundle.bundle import MANIFEST, Bundle
from phytoflow.errors import BundleError
from phytoflow.monitoring.monitor import Monitor
from phytoflow.monitoring.observations import Observations, observe, unpack_features
from phytoflow.monitoring.reference import load_reference
from phytoflow.ood.feature_statistics import FeatureStatistics
from phytoflow.storage.checksum import file_sha256
from phytoflow.storage.uri import join, read_bytes
from serving.gateway.log.queries import LoggedPrediction


@dataclass(frozen=True)
class Watch:
    """A monitor for one version of the model.

    Attributes:
        version: The version whose predictions are compared.
        classes: Index of each class.
        monitor: The monitor.
        statistics: Reduce the logged features; None if the bundle has no OOD detection.
    """

    version: str
    classes: dict[str, int]
    monitor: Monitor
    statistics: FeatureStatistics | None

    @classmethod
    def open(cls, uri: str) -> Watch:
        """Reads what is needed of a bundle: no model file.

        Args:
            uri: Folder or URI of the bundle.

        Raises:
            BundleError: The bundle has no reference, or a file is damaged.
            StorageError: It cannot be read.
        """
        with tempfile.TemporaryDirectory() as folder:
            _fetch(uri, MANIFEST, Path(folder))
            bundle = Bundle.load(folder, verify=False)
            for part in (bundle.manifest.ood, bundle.manifest.drift_reference):
                if part:
                    _fetch(uri, part.file, Path(folder), part.sha256)
            reference, statistics = load_reference(bundle)
        classes = {name: index for index, name in enumerate(bundle.manifest.classes)}
        return cls(bundle.manifest.version, classes, Monitor(reference), statistics)

    def observe(self, rows: Sequence[LoggedPrediction]) -> tuple[Observations, list[str]]:
        """What the monitor keeps of predictions of this version, and their ids."""
        known = [row for row in rows if row.label in self.classes]
        size = len(self.statistics.mean) if self.statistics else 0
        seen = observe(
            np.array([self.classes[row.label] for row in known], np.int64),
            np.array([row.confidence for row in known], np.float32),
            np.array([np.nan if row.novelty is None else row.novelty for row in known], np.float32),
            unpack_features([row.features for row in known], size),
            self.statistics,
        )
        return seen, [row.id for row in known]


def _fetch(uri: str, name: str, folder: Path, sha256: str = "") -> None:
    file = folder / name
    file.write_bytes(read_bytes(join(uri, name)))
    if sha256 and file_sha256(file) != sha256:
        raise BundleError(f"{join(uri, name)} is not the file its manifest describes")
