"""A bundle's OOD detector."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.reports import Method
from phytoflow.ood.feature_statistics import Array, FeatureStatistics
from phytoflow.ood.scores import score


@dataclass(frozen=True)
class OodDetector:
    """Tells photos of the known classes from out-of-distribution photos.

    Attributes:
        statistics: Feature statistics of known photos.
        method: The OOD score.
        typical: The score that is mapped to novelty 0.
        threshold: The score that is mapped to novelty 1.
    """

    statistics: FeatureStatistics
    method: Method
    typical: float
    threshold: float

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> OodDetector | None:
        """Loads a bundle's detector; None if it has none. Raises BundleError if the file is damaged."""
        ood = bundle.manifest.ood
        if ood is None:
            return None
        statistics = FeatureStatistics.load(bundle.path / ood.file)
        return cls(statistics, ood.method, ood.typical, ood.threshold)

    def novelty(self, logits: Array, features: Array) -> Array:
        """Novelty of photos, float32 [N]: 0 for a typical known photo, above 1 out of distribution.

        Args:
            logits: float32 [N, C].
            features: float32 [N, D].
        """
        scores: Array = score(self.method, self.statistics, logits, features)
        return (scores - self.typical) / (self.threshold - self.typical)
