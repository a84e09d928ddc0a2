"""Tries a candidate on the bundle's own probe photos."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import PhytoflowError
from phytoflow.inference.runtimes.base import Runtime
from phytoflow.inference.runtimes.factory import open_runtime
from phytoflow.inference.selection.candidates import Candidate
from phytoflow.inference.tolerance import TOLERANCES, allowed_difference

_ROUNDS = 5  # timings of a candidate; the best counts
_BATCH = 2  # small: a runtime keeps the memory of the largest batch it has seen


@dataclass(frozen=True)
class Trial:
    """How a candidate did on the probe photos.

    Attributes:
        candidate: The runtime and its precision.
        max_difference: Largest difference of a probability from the recorded one.
        same_labels: Whether every probe photo keeps its most probable class.
        milliseconds: Best time of one photo; 0 if it was not measured.
        allowed: Largest difference that may be served.
        error: Why it could not run; empty if it ran.
    """

    candidate: Candidate
    max_difference: float = float("inf")
    same_labels: bool = True
    milliseconds: float = float("inf")
    allowed: float = TOLERANCES["float32"]
    error: str = ""

    @property
    def agrees(self) -> bool:
        """Whether its probabilities are those recorded, within the tolerance of its precision."""
        return self.same_labels and self.max_difference <= self.allowed

    def __str__(self) -> str:
        if self.error:
            return f"{self.candidate}: {self.error}"
        time = f"{self.milliseconds:.1f} ms a photo, " if self.milliseconds else ""
        off = f"off by {self.max_difference:.1e} of {self.allowed:g} allowed"
        return f"{self.candidate}: {time}{off}" + ("" if self.same_labels else ", another class")


@dataclass(frozen=True)
class ProbeSet:
    """A bundle's probe photos.

    Attributes:
        bundle: The bundle.
        photos: float32 [N, 3, size, size].
        recorded: Their probabilities when the bundle was exported, float32 [N, C].
    """

    bundle: Bundle
    photos: NDArray[np.float32]
    recorded: NDArray[np.float32]

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> ProbeSet:
        """Reads and preprocesses the photos."""
        preprocessing = bundle.manifest.preprocessing
        photos = np.stack([preprocessing(content) for content in bundle.probe_contents()])
        recorded = np.array([probe.probabilities for probe in bundle.manifest.probes], np.float32)
        return cls(bundle, photos, recorded)

    def try_candidate(
        self, candidate: Candidate, threads: int, concurrency: int, *, timed: bool
    ) -> tuple[Runtime | None, Trial]:
        """Opens a runtime and runs the photos.

        Args:
            candidate: The runtime and its precision.
            threads: CPU threads of one call.
            concurrency: Concurrent calls of ``run`` to prepare for.
            timed: Whether to measure how fast it is.

        Returns:
            The runtime, or None if it cannot run the model, and what was measured.
        """
        name, precision = candidate
        try:
            runtime = open_runtime(
                name, self.bundle, threads=threads, concurrency=concurrency, precision=precision
            )
            given = _predict(runtime, self.photos, self.bundle.manifest.temperature)
        except (PhytoflowError, RuntimeError) as error:
            return None, Trial(candidate, error=str(error))
        allowed = allowed_difference(self.bundle.manifest, precision)
        if given.shape != self.recorded.shape or not np.isfinite(given).all():
            return None, Trial(candidate, allowed=allowed)
        difference = float(np.abs(given - self.recorded).max())
        same_labels = bool((given.argmax(axis=1) == self.recorded.argmax(axis=1)).all())
        milliseconds = _best_milliseconds(runtime, self.photos) if timed else 0.0
        return runtime, Trial(candidate, difference, same_labels, milliseconds, allowed)


def _predict(runtime: Runtime, photos: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    starts = range(0, len(photos), _BATCH)
    parts = [runtime.run(photos[start : start + _BATCH]) for start in starts]
    return np.concatenate([outputs.calibrated(temperature) for outputs in parts])


def _best_milliseconds(runtime: Runtime, photos: NDArray[np.float32]) -> float:
    """Best of a few timings of one photo: the one least disturbed by other processes."""
    one = photos[:1]
    runtime.run(one)
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        runtime.run(one)
        times.append(time.perf_counter() - start)
    return min(times) * 1000
