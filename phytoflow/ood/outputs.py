"""What a model gave for photos, with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.feature_statistics import Array


@dataclass(frozen=True)
class Answers:
    """What a model gave for photos.

    Attributes:
        logits: float32 [N, C].
        features: float32 [N, D].
        labels: int64 [N]; -1 for strangers.
        groups: str [N], the thing that each photo shows; "" for strangers.
    """

    logits: Array
    features: Array
    labels: NDArray[np.int64]
    groups: NDArray[np.str_]

    def only(self, rows: NDArray[np.bool_], without: int | None = None) -> Answers:
        """Some rows, perhaps as a model would answer that lacks one class."""
        logits = self.logits[rows]
        logits = logits if without is None else np.delete(logits, without, axis=1)
        return Answers(logits, self.features[rows], self.labels[rows], self.groups[rows])

    def and_of(self, other: Answers) -> Answers:
        """These photos, then the other ones."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Answers(*map(np.concatenate, pairs))
