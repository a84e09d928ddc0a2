"""Statistics of the features of known photos: a few arrays that tell how far from them another photo lies.

Features are scaled to unit length (Müller & Hein 2025: their norms vary for other reasons), centred and
rotated to their principal axes. The first axes are kept; all other directions share one variance
(probabilistic PCA, Tipping & Bishop 1999). A full covariance of a thousand features could not be estimated
from a few hundred photos, nor multiplied with in the time a photo may take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phytoflow.errors import BundleError
from phytoflow.ood.array_namespace import namespace_of

Array = NDArray[np.float32]
AXES = 64
BANK = 2000
_BANK_PER_CLASS = 250
_SHRINKAGE = 0.1  # of the covariance within classes towards the total one: small classes are noisy
_MIN_VARIANCE = 1e-8  # relative to the first axis
_MIN_REST = 1e-5  # of all other directions together: rounding of unit-length rows adds a hundredth of that


@dataclass(frozen=True)
class FeatureStatistics:
    """Statistics of the features [N, D] of known photos of C classes.

    Attributes:
        mean: float32 [D], mean of the features at unit length.
        axes: float32 [D, K], orthonormal principal axes.
        variances: float32 [K], along the axes.
        rest: float32 [], mean variance along each of the other directions.
        whitening: float32 [K, K]; maps the covariance within classes to the identity.
        centres: float32 [C, K], class means after whitening.
        bank: float32 [B, K + 1], known photos: coordinates along the axes, and distance to the axes' span.
    """

    mean: Array
    axes: Array
    variances: Array
    rest: Array
    whitening: Array
    centres: Array
    bank: Array

    def project(self, features: Array) -> tuple[Array, Array]:
        """Features [N, D] to coordinates along the axes [N, K] and squared distances to their span [N]."""
        centred: Array = unit(features) - self.mean
        along: Array = centred @ self.axes
        return along, namespace_of(features).clip(squares_of(centred) - squares_of(along), 0, None)

    @cached_property
    def squares(self) -> tuple[Array, Array, Array]:
        """Three arrays, computed once, that give squared distances to all known photos by two products.

        For features u at unit length, ``(u @ first) @ second + third`` is ``|u - known|^2``, where the parts
        outside the axes' span count as orthogonal to each other. Shapes, all float32: [D, K + 1], [K + 1, B]
        and [B].
        """
        xp, along, mean = namespace_of(self.bank), self.bank[:, :-1], self.mean
        first = xp.column_stack([self.axes, mean])
        second = -2 * xp.vstack([along.T, xp.ones_like(along[:, 0])])
        third = squares_of(self.bank) + 2 * along @ (mean @ self.axes) + 1 + mean @ mean
        return first, second, third

    def convert(self, to: Callable[[Array], Any]) -> FeatureStatistics:
        """The same statistics with each array converted, e.g. by ``torch.from_numpy``."""
        return FeatureStatistics(*(to(getattr(self, field.name)) for field in fields(self)))

    def save(self, path: Path) -> None:
        """Writes an ``.npz`` file without pickled objects."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> FeatureStatistics:
        """Reads a file written by ``save``; raises BundleError if it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(
                f"{path} holds no OOD statistics: {error}", remedy="export the bundle again"
            ) from error


def fit_statistics(
    features: Array, labels: NDArray[np.int64], axes: int = AXES, bank: int = BANK
) -> FeatureStatistics:
    """Fits the statistics of known photos.

    Args:
        features: float32 [N, D], at least two photos.
        labels: int64 [N]; classes without photos get no centre.
        axes: Maximum number of principal axes.
        bank: Maximum number of photos kept for the neighbour scores, taken evenly over the rows; at most 250
            for each class.
    """
    units = unit(features)
    mean = units.mean(axis=0)
    centred = (units - mean).astype(np.float64)
    directions, variances, rest = _principal_axes(centred, axes)
    along = centred @ directions
    means = np.stack([along[labels == label].mean(axis=0) for label in np.unique(labels)])
    whitening = _whitening(along - means[np.unique(labels, return_inverse=True)[1]], variances)
    beyond = np.sqrt(np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0))
    most = min(bank, _BANK_PER_CLASS * len(means), len(along))
    rows = np.unique(np.linspace(0, len(along) - 1, most).astype(int))
    known = np.column_stack([along, beyond])[rows]
    parts = (mean, directions, variances, rest, whitening, means @ whitening, known)
    return FeatureStatistics(*(np.asarray(part, np.float32) for part in parts))


def unit(features: Array) -> Array:
    """Features [N, D] scaled to unit length."""
    return features / lengths(features)


def lengths(features: Array) -> Array:
    """Length of each row, float32 [N, 1]; never zero."""
    xp = namespace_of(features)
    norms: Array = xp.clip(xp.sqrt(squares_of(features)), 1e-12, None)[:, None]
    return norms


def squares_of(rows: Array) -> Array:
    """Sum of squares of each row, float32 [N]."""
    sums: Array = namespace_of(rows).sum(rows * rows, axis=-1)
    return sums


def _principal_axes(
    centred: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Principal axes [D, K], variances along them [K], and the mean variance of all other directions."""
    count, size = centred.shape
    _, singular_values, rows = np.linalg.svd(centred, full_matrices=False)
    variances = singular_values**2 / max(count - 1, 1)
    significant = int((variances > _MIN_VARIANCE * variances[0]).sum())
    axes = min(most, max(1, (count - 1) // 2), max(1, significant))  # two photos for each axis at least
    rest = max(float(variances[axes:].sum()), _MIN_REST) / max(size - axes, 1)
    floor = max(float(variances[0]) * _MIN_VARIANCE, float(np.finfo(np.float32).tiny))
    return rows[:axes].T, np.maximum(variances[:axes], floor), rest


def _whitening(within: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse square root of the covariance within classes, shrunk towards the diagonal total covariance."""
    covariance = within.T @ within / max(len(within) - 1, 1)
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(variances)
    values, vectors = np.linalg.eigh(shrunk)
    return vectors / np.sqrt(np.maximum(values, variances.min() * _MIN_VARIANCE + 1e-30))
