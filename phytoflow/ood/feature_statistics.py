"""What the features of known photos look like: a few arrays that say how far from them another photo lies.

Features are brought to length one (Müller & Hein 2025: norms vary for reasons of their own), centred, and
turned to their principal axes. The first axes are kept; what is left over is one variance for all
(probabilistic PCA, Tipping & Bishop 1999): a full covariance of a thousand features could neither be
estimated from a few hundred photos nor multiplied with in the time a photo may take.
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
_BANK_OF_A_CLASS = 250
_SHRINKAGE = 0.1  # of the covariance within classes towards the one over all: small classes are noisy
_LEAST_VARIANCE = 1e-8
_LEAST_SQUARE = 1e-5  # all directions left out together: rounding of rows at length one makes a hundredth


@dataclass(frozen=True)
class Statistics:
    """Of the features [N, D] of known photos of C classes.

    Attributes:
        mean: float32 [D], of the features at length one.
        axes: float32 [D, K], orthonormal principal axes.
        variances: float32 [K], along the axes.
        rest: float32 [], mean variance along each of the directions left out.
        whitening: float32 [K, K]; turns the covariance within classes into the identity.
        centres: float32 [C, K], means of the classes after whitening.
        bank: float32 [B, K + 1], known photos along the axes, and their distance to the axes' span.
    """

    mean: Array
    axes: Array
    variances: Array
    rest: Array
    whitening: Array
    centres: Array
    bank: Array

    def project(self, features: Array) -> tuple[Array, Array]:
        """Features [N, D] to places along the axes [N, K] and squared distances to their span [N]."""
        centred: Array = unit(features) - self.mean
        along: Array = centred @ self.axes
        return along, namespace_of(features).clip(squares_of(centred) - squares_of(along), 0, None)

    @cached_property
    def squares(self) -> tuple[Array, Array, Array]:
        """Squared distances to known photos as two products, made once: a photo of a request has little time.

        Of features u at length one, ``(u @ first) @ second + third`` is ``|u - known|^2``, where directions
        that were left out count as if they stood at right angles to the known photo's: float32 [D, K + 1],
        [K + 1, B] and [B].
        """
        xp, along, mean = namespace_of(self.bank), self.bank[:, :-1], self.mean
        first = xp.column_stack([self.axes, mean])
        second = -2 * xp.vstack([along.T, xp.ones_like(along[:, 0])])
        third = squares_of(self.bank) + 2 * along @ (mean @ self.axes) + 1 + mean @ mean
        return first, second, third

    def converted(self, to: Callable[[Array], Any]) -> Statistics:
        """The same of another kind of arrays."""
        return Statistics(*(to(getattr(self, field.name)) for field in fields(self)))

    def save(self, path: Path) -> None:
        """Writes an ``.npz``; no pickle."""
        np.savez(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Statistics:
        """Reads what ``save`` wrote; raises BundleError."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{field.name: arrays[field.name] for field in fields(cls)})
        except (OSError, ValueError, KeyError) as error:
            raise BundleError(
                f"{path} holds no open-set statistics: {error}", remedy="export the bundle again"
            ) from error


def fit(features: Array, labels: NDArray[np.int64], axes: int = AXES, bank: int = BANK) -> Statistics:
    """Statistics of known photos.

    Args:
        features: float32 [N, D], at least two photos.
        labels: int64 [N]; classes without photos get no centre.
        axes: Most principal axes kept.
        bank: Most photos kept for nearest neighbours, evenly over the rows; few classes need fewer.
    """
    units = unit(features)
    mean = units.mean(axis=0)
    centred = (units - mean).astype(np.float64)
    directions, variances, rest = _principal(centred, axes)
    along = centred @ directions
    means = np.stack([along[labels == label].mean(axis=0) for label in np.unique(labels)])
    whitening = _whitening(along - means[np.unique(labels, return_inverse=True)[1]], variances)
    beyond = np.sqrt(np.maximum((centred**2).sum(axis=1) - (along**2).sum(axis=1), 0))
    most = min(bank, _BANK_OF_A_CLASS * len(means), len(along))
    kept = np.unique(np.linspace(0, len(along) - 1, most).astype(int))
    parts = (mean, directions, variances, rest, whitening, means @ whitening)
    known = np.column_stack([along, beyond])[kept]
    return Statistics(*(np.asarray(part, np.float32) for part in (*parts, known)))


def unit(features: Array) -> Array:
    """Features [N, D] at length one."""
    return features / lengths(features)


def lengths(features: Array) -> Array:
    """Of each row, float32 [N, 1]; never zero."""
    xp = namespace_of(features)
    found: Array = xp.clip(xp.sqrt(squares_of(features)), 1e-12, None)[:, None]
    return found


def squares_of(rows: Array) -> Array:
    """Sum of each row's squares, float32 [N]."""
    found: Array = namespace_of(rows).sum(rows * rows, axis=-1)
    return found


def _principal(
    centred: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Principal axes [D, K], variances along them [K], and the mean variance of all other directions."""
    count, size = centred.shape
    _, lengths, rows = np.linalg.svd(centred, full_matrices=False)
    variances = lengths**2 / max(count - 1, 1)
    kept = min(
        most, max(1, (count - 1) // 2), max(1, int((variances > _LEAST_VARIANCE * variances[0]).sum()))
    )
    rest = max(float(variances[kept:].sum()), _LEAST_SQUARE) / max(size - kept, 1)
    floor = max(float(variances[0]) * _LEAST_VARIANCE, float(np.finfo(np.float32).tiny))
    return rows[:kept].T, np.maximum(variances[:kept], floor), rest


def _whitening(within: NDArray[np.float64], variances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse root of the covariance within classes, shrunk towards the diagonal one over all classes."""
    covariance = within.T @ within / max(len(within) - 1, 1)
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * np.diag(variances)
    values, vectors = np.linalg.eigh(shrunk)
    return vectors / np.sqrt(np.maximum(values, variances.min() * _LEAST_VARIANCE + 1e-30))
