"""A bundle's own measure of how strange a photo is."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import Method
from phytoflow.ood.feature_statistics import Array, Statistics
from phytoflow.ood.scores import score


@dataclass(frozen=True)
class Detector:
    """Tells known photos from strangers.

    Attributes:
        statistics: Of known photos.
        method: The score.
        typical: The score that becomes novelty 0.
        threshold: The score that becomes novelty 1; strangers lie beyond.
    """

    statistics: Statistics
    method: Method
    typical: float
    threshold: float

    @classmethod
    def of(cls, bundle: Bundle) -> Detector | None:
        """The bundle's, or None where it has no statistics; raises BundleError if they are damaged."""
        chosen = bundle.manifest.open_set
        if chosen is None:
            return None
        statistics = Statistics.load(bundle.path / chosen.file)
        return cls(statistics, chosen.method, chosen.typical, chosen.threshold)

    def novelty(self, logits: Array, features: Array) -> Array:
        """Strangeness of photos, float32 [N]: 0 for a typical known one, above 1 for a stranger.

        Args:
            logits: float32 [N, C].
            features: float32 [N, D].
        """
        scores: Array = score(self.method, self.statistics, logits, features)
        return (scores - self.typical) / (self.threshold - self.typical)
