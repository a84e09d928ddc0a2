"""How a way to run a bundle does on the bundle's own probe photos."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import PhytoflowError
from phytoflow.inference.runtimes.base import Precision, Runtime
from phytoflow.inference.runtimes.factory import open_runtime
from phytoflow.inference.selection.candidates import Candidate

# Largest difference of a probability from the recorded one. bf16 keeps 8 bits of each factor: no class may
# change on a probe photo; on trained models probabilities of doubtful photos were seen to move by up to 0.06.
# An int8 form says its own.
TOLERANCES: dict[Precision, float] = {"float32": 1e-3, "bf16": 0.1, "int8": 0.1}
_ROUNDS = 5
_BATCH = 2


@dataclass(frozen=True)
class Trial:
    """How one candidate did on the probe photos.

    Attributes:
        candidate: The runtime and its precision.
        max_difference: Largest difference of a probability from the recorded one.
        same_labels: Whether every probe photo keeps its likeliest class.
        milliseconds: Best time of one photo.
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
        """Whether the answers are those recorded, within the precision's tolerance."""
        return self.same_labels and self.max_difference <= self.allowed

    def __str__(self) -> str:
        if self.error:
            return f"{self.candidate}: {self.error}"
        time = f"{self.milliseconds:.1f} ms a photo, " if self.milliseconds else ""
        off = f"off by {self.max_difference:.1e} of {self.allowed:g} allowed"
        return f"{self.candidate}: {time}{off}" + ("" if self.same_labels else ", another class")


@dataclass(frozen=True)
class Probes:
    """A bundle's probe photos.

    Attributes:
        bundle: The bundle.
        photos: float32 [N, 3, size, size].
        recorded: Their probabilities when it was exported, float32 [N, C].
    """

    bundle: Bundle
    photos: NDArray[np.float32]
    recorded: NDArray[np.float32]

    @classmethod
    def of(cls, bundle: Bundle) -> Probes:
        """Reads them."""
        preprocessing = bundle.manifest.preprocessing
        photos = np.stack([preprocessing(content) for content in bundle.probe_contents()])
        recorded = np.array([probe.probabilities for probe in bundle.manifest.probes], np.float32)
        return cls(bundle, photos, recorded)

    def tried(
        self, candidate: Candidate, threads: int, concurrency: int, *, timed: bool
    ) -> tuple[Runtime | None, Trial]:
        """Opens a runtime and runs the photos; None where it cannot.

        Args:
            candidate: The runtime and its precision.
            threads: CPU threads of one call.
            concurrency: Concurrent calls of ``run`` to prepare for.
            timed: Whether to measure how fast it is.
        """
        name, precision = candidate
        try:
            runtime = open_runtime(
                name, self.bundle, threads=threads, concurrency=concurrency, precision=precision
            )
            answers = _answers(runtime, self.photos, self.bundle.manifest.temperature)
        except (PhytoflowError, RuntimeError) as error:
            return None, Trial(candidate, error=str(error))
        allowed = _allowed(self.bundle, precision)
        if answers.shape != self.recorded.shape or not np.isfinite(answers).all():
            return None, Trial(candidate, allowed=allowed)
        difference = float(np.abs(answers - self.recorded).max())
        same = bool((answers.argmax(axis=1) == self.recorded.argmax(axis=1)).all())
        milliseconds = _milliseconds(runtime, self.photos) if timed else 0.0
        return runtime, Trial(candidate, difference, same, milliseconds, allowed)


def _allowed(bundle: Bundle, precision: Precision) -> float:
    stated = bundle.manifest.models["int8"].tolerance if precision == "int8" else None
    return TOLERANCES[precision] if stated is None else stated


def _answers(runtime: Runtime, photos: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """In small batches: a runtime keeps the memory of the largest it has seen."""
    starts = range(0, len(photos), _BATCH)
    found = [runtime.run(photos[start : start + _BATCH]) for start in starts]
    return np.concatenate([outputs.calibrated(temperature) for outputs in found])


def _milliseconds(runtime: Runtime, photos: NDArray[np.float32]) -> float:
    """Best of a few rounds of one photo: the least disturbed by whatever else the machine does."""
    one = photos[:1]
    runtime.run(one)
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        runtime.run(one)
        times.append(time.perf_counter() - start)
    return min(times) * 1000
