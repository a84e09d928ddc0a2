"""The reference: photos that the model never saw, as it answers them. A file of a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError
from phytoflow.monitoring.observations import Observations
from phytoflow.ood.feature_statistics import FeatureStatistics

FEWEST = 20  # photos; with fewer, no threshold tells the common from the rare


class NoReferenceError(BundleError):
    """The bundle is sound, and has no reference."""


@dataclass(frozen=True)
class Reference:
    """N reference photos.

    Attributes:
        observations: What is compared.
        true: int64 [N], index of the true class.
        groups: int64 [N], photos of one group (a leaf, a plant) are alike.
        classes: Names of the classes.
    """

    observations: Observations
    true: NDArray[np.int64]
    groups: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.true)

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Which photos the model classifies correctly, bool [N]."""
        return self.observations.label == self.true

    def select(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> Reference:
        """Some of the photos."""
        return Reference(self.observations.select(rows), self.true[rows], self.groups[rows], self.classes)

    def save(self, path: Path) -> None:
        """Writes an ``.npz`` file without pickled objects; components are stored as float16."""
        seen = self.observations
        np.savez_compressed(
            path,
            label=seen.label.astype(np.int32),
            confidence=seen.confidence,
            novelty=seen.novelty,
            measures=seen.measures,
            components=seen.components.astype(np.float16),
            true=self.true.astype(np.int32),
            groups=self.groups.astype(np.int32),
        )

    @classmethod
    def load(cls, path: Path, classes: tuple[str, ...]) -> Reference:
        """Reads a file written by ``save``; raises BundleError if it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                seen = Observations(
                    arrays["label"].astype(np.int64),
                    arrays["confidence"].astype(np.float32),
                    arrays["novelty"].astype(np.float32),
                    arrays["measures"].astype(np.float32),
                    arrays["components"].astype(np.float32),
                )
                true, groups = arrays["true"].astype(np.int64), arrays["groups"].astype(np.int64)
        except (OSError, ValueError, KeyError) as error:
            what = f"{path} holds no drift reference: {error}"
            raise BundleError(what, remedy="export the bundle again") from error
        return cls(seen, true, groups, classes)


def load_reference(bundle: Bundle) -> tuple[Reference, FeatureStatistics | None]:
    """The reference of a bundle and the statistics that reduce features.

    Raises:
        NoReferenceError: The bundle has no reference, because it is older or its photos were too few.
        BundleError: A file is damaged.
    """
    part = bundle.manifest.drift_reference
    if part is None:
        what = f"{bundle.path} has no drift reference: it is older, or fewer than {FEWEST} photos were unseen"
        raise NoReferenceError(what, remedy="export it again with this version of phytoflow, on more photos")
    ood = bundle.manifest.ood
    statistics = FeatureStatistics.load(bundle.path / ood.file) if ood else None
    return Reference.load(bundle.path / part.file, bundle.manifest.classes), statistics
