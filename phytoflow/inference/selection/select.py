"""Selects the runtime of a bundle on this machine: the fastest that agrees with the probe photos."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError, ParityError, PhytoflowError
from phytoflow.inference.runtimes.base import Precision, Runtime, RuntimeName
from phytoflow.inference.selection.candidates import list_candidates
from phytoflow.inference.selection.trial import ProbeSet, Trial

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuntimeChoice:
    """The selected runtime.

    Attributes:
        name: The runtime.
        precision: Precision of its arithmetic.
        device: Where it computes: ``CPU``, or the GPU's own name.
        reason: One sentence for a log or metadata.
        trials: What was measured.
    """

    name: RuntimeName
    precision: Precision
    device: str
    reason: str
    trials: tuple[Trial, ...]


def select_runtime(
    bundle: Bundle,
    name: RuntimeName | None,
    *,
    threads: int,
    concurrency: int = 1,
    precision: Precision | Literal["auto"] = "float32",
) -> tuple[Runtime, RuntimeChoice]:
    """Opens the given runtime, or the fastest one, that agrees with the bundle's probe photos.

    Args:
        bundle: The bundle.
        name: A runtime, or None to compare those installed. TorchScript is compared only if the bundle has
            nothing else, or there is a GPU: on CPUs loading torch costs more memory and time than it could
            win.
        threads: CPU threads of one call.
        concurrency: Concurrent calls of ``run`` to prepare for.
        precision: One precision, or ``auto`` to compare those that are fast on this CPU and in the bundle.

    Raises:
        ParityError: No runtime gives the probe photos their recorded probabilities on this machine.
        BundleError: The model cannot be loaded.
        ServingError: This machine or the runtime does not support the precision.
    """
    probes, candidates = ProbeSet.from_bundle(bundle), list_candidates(bundle, name, precision)
    best: tuple[Runtime, Trial] | None = None
    trials: list[Trial] = []
    for candidate in candidates:
        runtime, trial = probes.try_candidate(candidate, threads, concurrency, timed=len(candidates) > 1)
        trials.append(trial)
        if runtime and trial.agrees and (best is None or trial.milliseconds < best[1].milliseconds):
            best = runtime, trial
    if best is None:
        raise _refusal(bundle, trials)
    runtime, trial = best
    choice = RuntimeChoice(*trial.candidate, runtime.device, _reason(trials), tuple(trials))
    _LOG.info("runtime %s, %s, %s: %s", choice.name, choice.precision, choice.device, choice.reason)
    return runtime, choice


def _reason(trials: list[Trial]) -> str:
    why = "the only candidate" if len(trials) == 1 else "the fastest that agrees with the probe photos"
    return f"{why} ({'; '.join(map(str, trials))})"


def _refusal(bundle: Bundle, trials: list[Trial]) -> PhytoflowError:
    if len(trials) == 1 and trials[0].error:
        return BundleError(trials[0].error)
    what = f"no runtime gives the probe photos of {bundle.path} their recorded probabilities: "
    remedy = "export the bundle again on this machine; if it persists, the model file or a library is damaged"
    if any(trial.candidate.precision != "float32" for trial in trials):
        remedy = "this model needs float32"
    return ParityError(what + "; ".join(map(str, trials)), remedy=remedy)
