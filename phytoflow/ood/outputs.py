"""Model outputs for a number of photos, with the photos' labels and groups."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.feature_statistics import Array


@dataclass(frozen=True)
class ModelOutputs:
    """What a model returned for N photos.

    Attributes:
        logits: float32 [N, C].
        features: float32 [N, D].
        labels: int64 [N]; -1 for OOD photos.
        groups: str [N], the group of each photo; "" for OOD photos.
    """

    logits: Array
    features: Array
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]

    def select(self, rows: NDArray[np.bool_], without: int | None = None) -> ModelOutputs:
        """Some of the photos.

        Args:
            rows: Which photos, bool [N].
            without: A class whose logit is left out, as if the model did not know it.
        """
        logits = self.logits[rows]
        logits = logits if without is None else np.delete(logits, without, axis=1)
        return ModelOutputs(logits, self.features[rows], self.labels[rows], self.groups[rows])

    def concatenate(self, other: ModelOutputs) -> ModelOutputs:
        """These photos followed by those of ``other``."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return ModelOutputs(*map(np.concatenate, pairs))
