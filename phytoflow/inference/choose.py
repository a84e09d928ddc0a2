"""Which runtime serves a bundle on this machine: the fastest that gives the probe photos their answers."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.errors import BundleError, ParityError, PhytoflowError
from phytoflow.inference.probabilities import softmax
from phytoflow.inference.runtime import Runtime, RuntimeName, open_runtime, usable
from phytoflow.models.bundle import Bundle

TOLERANCE = 1e-3
_LOG = logging.getLogger(__name__)
_ROUNDS = 5
_BATCH = 2


@dataclass(frozen=True)
class Trial:
    """How one runtime did on the probe photos.

    Attributes:
        name: The runtime.
        max_difference: Largest difference of a probability from the recorded one.
        milliseconds: Best time of one photo.
        error: Why it could not run; empty if it ran.
    """

    name: RuntimeName
    max_difference: float = float("inf")
    milliseconds: float = float("inf")
    error: str = ""

    def __str__(self) -> str:
        if self.error:
            return f"{self.name}: {self.error}"
        return f"{self.name}: {self.milliseconds:.1f} ms a photo, off by {self.max_difference:.1e}"


@dataclass(frozen=True)
class Choice:
    """The runtime taken and why.

    Attributes:
        name: The runtime.
        reason: One sentence for a log or metadata.
        trials: What was measured.
    """

    name: RuntimeName
    reason: str
    trials: tuple[Trial, ...]


def choose(
    bundle: Bundle, asked: RuntimeName | None, *, threads: int, lanes: int = 1
) -> tuple[Runtime, Choice]:
    """Opens the runtime asked for, or the fastest, that agrees with the bundle's probe photos.

    Args:
        bundle: The model with its probes.
        asked: A runtime, or None to compare those installed. TorchScript is compared only where the bundle
            has nothing else: loading torch costs more memory and time than it could win.
        threads: CPU threads of one call.
        lanes: Calls at once.

    Raises:
        ParityError: No runtime gives the probe photos their recorded probabilities here.
        BundleError: The model cannot be loaded.
    """
    photos, recorded = _probes(bundle)
    candidates = (asked,) if asked else _candidates(bundle)
    best: Runtime | None = None
    trials: list[Trial] = []
    for name in candidates:
        runtime, trial = _try(name, bundle, photos, recorded, threads, lanes, timed=len(candidates) > 1)
        fastest = min((t.milliseconds for t in trials if t.max_difference <= TOLERANCE), default=float("inf"))
        trials.append(trial)
        if trial.max_difference <= TOLERANCE and (best is None or trial.milliseconds < fastest):
            best = runtime
    if best is None:
        _refuse(bundle, trials)
    assert best is not None
    choice = Choice(best.name, _reason(best.name, asked, trials), tuple(trials))
    _LOG.info("runtime %s: %s", choice.name, choice.reason)
    return best, choice


def _candidates(bundle: Bundle) -> tuple[RuntimeName, ...]:
    light: tuple[RuntimeName, ...] = ("onnx", "openvino")
    found = tuple(name for name in light if usable(name, bundle))
    if found:
        return found
    if usable("torchscript", bundle):
        return ("torchscript",)
    remedy = "pip install onnxruntime, or torch for a bundle that has TorchScript only"
    raise BundleError(f"no installed runtime can load the models of {bundle.path}", remedy=remedy)


def _probes(bundle: Bundle) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    preprocessing = bundle.manifest.preprocessing
    photos = np.stack([preprocessing(content) for content in bundle.probe_contents()])
    return photos, np.array([probe.probabilities for probe in bundle.manifest.probes], np.float32)


def _try(
    name: RuntimeName,
    bundle: Bundle,
    photos: NDArray[np.float32],
    recorded: NDArray[np.float32],
    threads: int,
    lanes: int,
    *,
    timed: bool,
) -> tuple[Runtime | None, Trial]:
    try:
        runtime = open_runtime(name, bundle, threads=threads, lanes=lanes)
        answers = softmax(_run(runtime, photos), bundle.manifest.temperature)
    except (PhytoflowError, RuntimeError) as error:
        return None, Trial(name, error=str(error))
    difference = float(np.abs(answers - recorded).max()) if answers.shape == recorded.shape else float("inf")
    # NaN would pass no comparison below, which is right, but say so as "infinitely off".
    difference = difference if np.isfinite(difference) else float("inf")
    return runtime, Trial(name, difference, _milliseconds(runtime, photos) if timed else 0.0)


def _run(runtime: Runtime, photos: NDArray[np.float32]) -> NDArray[np.float32]:
    """In small batches: a runtime keeps the memory of the largest it has seen."""
    starts = range(0, len(photos), _BATCH)
    return np.concatenate([runtime.run(photos[start : start + _BATCH]).logits for start in starts])


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


def _reason(name: RuntimeName, asked: RuntimeName | None, trials: list[Trial]) -> str:
    seen = "; ".join(map(str, trials)) if not asked else f"off by {trials[0].max_difference:.1e}"
    why = "asked for" if asked else "fastest that agrees with the probe photos"
    return f"{why} ({seen}; tolerance {TOLERANCE:g})"


def _refuse(bundle: Bundle, trials: list[Trial]) -> None:
    if len(trials) == 1 and trials[0].error:
        raise BundleError(trials[0].error)
    what = f"no runtime gives the probe photos of {bundle.path} their recorded answers: "
    remedy = "export the bundle again on this machine; if it persists, the model file or a library is damaged"
    raise ParityError(what + "; ".join(map(str, trials)), remedy=remedy)
