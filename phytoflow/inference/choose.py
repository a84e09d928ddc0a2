"""Which runtime serves a bundle on this machine: the fastest that gives the probe photos their answers."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from phytoflow.errors import BundleError, ParityError, PhytoflowError
from phytoflow.inference.cpus import has_bf16
from phytoflow.inference.probabilities import softmax
from phytoflow.inference.runtime import (
    Precision,
    Runtime,
    RuntimeName,
    check_precision,
    open_runtime,
    usable,
)
from phytoflow.models.bundle import Bundle

# Largest difference of a probability from the recorded one. bf16 keeps 8 bits of each factor: no class may
# change on a probe photo; on trained models probabilities of doubtful photos were seen to move by up to 0.06.
# An int8 form says its own.
TOLERANCES: dict[Precision, float] = {"float32": 1e-3, "bf16": 0.1, "int8": 0.1}
_LOG = logging.getLogger(__name__)
_ROUNDS = 5
_BATCH = 2


class Candidate(NamedTuple):
    """A way to run a bundle: more forms of a model, or precisions, are more candidates."""

    name: RuntimeName
    precision: Precision = "float32"

    def __str__(self) -> str:
        return self.name if self.precision == "float32" else f"{self.name} in {self.precision}"


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
class Choice:
    """The runtime taken and why.

    Attributes:
        name: The runtime.
        precision: Of its arithmetic.
        reason: One sentence for a log or metadata.
        trials: What was measured.
    """

    name: RuntimeName
    precision: Precision
    reason: str
    trials: tuple[Trial, ...]


def choose(
    bundle: Bundle,
    asked: RuntimeName | None,
    *,
    threads: int,
    lanes: int = 1,
    precision: Precision | Literal["auto"] = "float32",
) -> tuple[Runtime, Choice]:
    """Opens the runtime asked for, or the fastest, that agrees with the bundle's probe photos.

    Args:
        bundle: The model with its probes.
        asked: A runtime, or None to compare those installed. TorchScript is compared only where the bundle
            has nothing else: loading torch costs more memory and time than it could win.
        threads: CPU threads of one call.
        lanes: Calls at once.
        precision: One, or ``auto`` to compare those the CPU is quick at and the bundle has.

    Raises:
        ParityError: No runtime gives the probe photos their recorded probabilities here.
        BundleError: The model cannot be loaded.
        ServingError: This machine or the runtime does not have the precision.
    """
    photos, recorded = _probes(bundle)
    candidates = _candidates(bundle, asked, precision)
    best: tuple[Runtime, Trial] | None = None
    trials: list[Trial] = []
    for candidate in candidates:
        runtime, trial = _try(candidate, bundle, photos, recorded, threads, lanes, timed=len(candidates) > 1)
        trials.append(trial)
        if runtime and trial.agrees and (best is None or trial.milliseconds < best[1].milliseconds):
            best = runtime, trial
    if best is None:
        raise _refusal(bundle, trials)
    name, found = best[1].candidate
    choice = Choice(name, found, _reason(trials), tuple(trials))
    _LOG.info("runtime %s, %s: %s", name, found, choice.reason)
    return best[0], choice


def _candidates(
    bundle: Bundle, asked: RuntimeName | None, precision: Precision | Literal["auto"]
) -> tuple[Candidate, ...]:
    if precision == "bf16":
        check_precision(asked or "openvino", "bf16")
        return (Candidate(asked or "openvino", "bf16"),)
    if precision == "int8":
        return _int8(bundle, asked)
    found = [Candidate(name) for name in ([asked] if asked else _usable(bundle))]
    if precision == "auto" and has_bf16() and any(each.name == "openvino" for each in found):
        found.append(Candidate("openvino", "bf16"))
    if precision == "auto" and "int8" in bundle.manifest.models:
        found += [Candidate(each.name, "int8") for each in found if usable(each.name, bundle, "int8")]
    return tuple(dict.fromkeys(found))


def _int8(bundle: Bundle, asked: RuntimeName | None) -> tuple[Candidate, ...]:
    if asked:
        check_precision(asked, "int8")
    if "int8" not in bundle.manifest.models:
        tried = bundle.manifest.int8
        why = f"it was refused: {tried.refused}" if tried else "export.int8 was off"
        raise BundleError(f"{bundle.path} has no int8 model; {why}", remedy="choose float32")
    names: tuple[RuntimeName, ...] = (asked,) if asked else _usable(bundle)
    return tuple(Candidate(name, "int8") for name in names if usable(name, bundle, "int8"))


def _allowed(bundle: Bundle, precision: Precision) -> float:
    stated = bundle.manifest.models["int8"].tolerance if precision == "int8" else None
    return TOLERANCES[precision] if stated is None else stated


def _usable(bundle: Bundle) -> tuple[RuntimeName, ...]:
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
    candidate: Candidate,
    bundle: Bundle,
    photos: NDArray[np.float32],
    recorded: NDArray[np.float32],
    threads: int,
    lanes: int,
    *,
    timed: bool,
) -> tuple[Runtime | None, Trial]:
    name, precision = candidate
    try:
        runtime = open_runtime(name, bundle, threads=threads, lanes=lanes, precision=precision)
        answers = softmax(_run(runtime, photos), bundle.manifest.temperature)
    except (PhytoflowError, RuntimeError) as error:
        return None, Trial(candidate, error=str(error))
    if answers.shape != recorded.shape or not np.isfinite(answers).all():
        return None, Trial(candidate, allowed=_allowed(bundle, precision))
    difference = float(np.abs(answers - recorded).max())
    same = bool((answers.argmax(axis=1) == recorded.argmax(axis=1)).all())
    milliseconds = _milliseconds(runtime, photos) if timed else 0.0
    return runtime, Trial(candidate, difference, same, milliseconds, _allowed(bundle, precision))


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


def _reason(trials: list[Trial]) -> str:
    why = "asked for" if len(trials) == 1 else "the fastest that agrees with the probe photos"
    return f"{why} ({'; '.join(map(str, trials))})"


def _refusal(bundle: Bundle, trials: list[Trial]) -> PhytoflowError:
    if len(trials) == 1 and trials[0].error:
        return BundleError(trials[0].error)
    what = f"no runtime gives the probe photos of {bundle.path} their recorded answers: "
    remedy = "export the bundle again on this machine; if it persists, the model file or a library is damaged"
    if any(trial.candidate.precision != "float32" for trial in trials):
        remedy = "this model needs float32"
    return ParityError(what + "; ".join(map(str, trials)), remedy=remedy)
