"""What is kept of each served photo: a few numbers, by which it is compared with the reference photos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.feature_statistics import AXES, Array, FeatureStatistics, lengths, squares_of

FEATURE_MEASURES = ("nearest_class", "beyond", "length")

_ROUNDING = 1e-6  # squared distances of unit-length rows below this are rounding, which depends on the batch


@dataclass(frozen=True)
class Observations:
    """N photos as the monitor sees them. What a photo lacks is nan.

    Attributes:
        label: int64 [N], index of the likeliest class.
        confidence: float32 [N], its calibrated probability.
        novelty: float32 [N], above 1 out of distribution; nan without OOD detection.
        measures: float32 [N, 3], of the features: squared Mahalanobis distance to the nearest class mean,
            squared distance to the span of the principal axes, and logarithm of the length.
        components: float32 [N, K], coordinates along the K principal axes, in standard deviations.
    """

    label: NDArray[np.int64]
    confidence: Array
    novelty: Array
    measures: Array
    components: Array

    def __len__(self) -> int:
        return len(self.label)

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Which photos are out of distribution, bool [N]."""
        return self.novelty > 1

    def select(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Observations:
        """Some of the photos."""
        return Observations(*(getattr(self, field.name)[rows] for field in fields(self)))

    @classmethod
    def concatenate(cls, parts: Sequence[Observations]) -> Observations:
        """The photos of all parts, in order."""
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))

    @property
    def watched(self) -> Array:
        """The columns that ``WATCHED`` names, float32 [N, 5 + AXES]; nan if there are fewer components."""
        components = np.full((len(self), AXES), np.nan, np.float32)
        components[:, : self.components.shape[1]] = self.components
        return np.column_stack([self.confidence, self.novelty, self.measures, components])


WATCHED = ("confidence", "novelty", *FEATURE_MEASURES, *(f"component_{i + 1}" for i in range(AXES)))
"""Names of the watched columns; the predicted class is watched, too."""


def observe(
    label: NDArray[np.int64],
    confidence: Array,
    novelty: Array | None,
    features: NDArray[np.float16] | Array | None,
    statistics: FeatureStatistics | None,
) -> Observations:
    """Reduces the outputs for N photos to what is compared.

    Args:
        label: int64 [N], index of the likeliest class.
        confidence: [N], its calibrated probability.
        novelty: [N]; None without OOD detection.
        features: [N, D]; rows of nan for photos whose features were not stored; None: for none they were.
        statistics: The bundle's feature statistics, fitted on training photos; None without OOD detection.
    """
    count = len(label)
    axes = statistics.axes.shape[1] if statistics else 0
    measures = np.full((count, len(FEATURE_MEASURES)), np.nan, np.float32)
    components = np.full((count, axes), np.nan, np.float32)
    if statistics is not None and features is not None:
        rows = np.isfinite(features).all(axis=1)
        if rows.any():
            measures[rows], components[rows] = _reduce(np.asarray(features[rows], np.float32), statistics)
    odd = np.full(count, np.nan, np.float32) if novelty is None else np.asarray(novelty, np.float32)
    return Observations(
        np.asarray(label, np.int64), np.asarray(confidence, np.float32), odd, measures, components
    )


def _reduce(features: Array, statistics: FeatureStatistics) -> tuple[Array, Array]:
    along, beyond = statistics.project(features)
    white = along @ statistics.whitening
    centres = statistics.centres
    # |w - c|^2 without an array of [N, C, K]
    squares = squares_of(white)[:, None] - 2 * white @ centres.T + squares_of(centres)
    nearest = np.maximum(squares.min(axis=1), 0)
    beyond = np.where(beyond < _ROUNDING, 0, beyond)
    measures = np.column_stack([nearest, beyond, np.log(lengths(features)[:, 0])])
    return measures.astype(np.float32), (along / np.sqrt(statistics.variances)).astype(np.float32)


def unpack_features(packed: Sequence[bytes | None], size: int) -> NDArray[np.float16]:
    """Features as they are logged, little-endian float16, to [N, size]; nan where none of this size were."""
    features = np.full((len(packed), size), np.nan, np.float16)
    for row, content in zip(features, packed, strict=True):
        if content is not None and len(content) == 2 * size:
            row[:] = np.frombuffer(content, "<f2")
    return features
