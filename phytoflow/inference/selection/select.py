"""Which runtime serves a bundle on this machine: the fastest that gives the probe photos their answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

from phytoflow.bundle.bundle import Bundle
from phytoflow.errors import BundleError, ParityError, PhytoflowError
from phytoflow.inference.runtimes.base import Precision, Runtime, RuntimeName
from phytoflow.inference.selection.candidates import candidates
from phytoflow.inference.selection.trial import Probes, Trial

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuntimeChoice:
    """The runtime taken and why.

    Attributes:
        name: The runtime.
        precision: Of its arithmetic.
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
    asked: RuntimeName | None,
    *,
    threads: int,
    concurrency: int = 1,
    precision: Precision | Literal["auto"] = "float32",
) -> tuple[Runtime, RuntimeChoice]:
    """Opens the runtime asked for, or the fastest, that agrees with the bundle's probe photos.

    Args:
        bundle: The model with its probes.
        asked: A runtime, or None to compare those installed. TorchScript is compared only where the bundle
            has nothing else, or there is a GPU: loading torch costs more memory and time than it could win
            on CPUs.
        threads: CPU threads of one call.
        concurrency: Concurrent calls of ``run`` to prepare for.
        precision: One, or ``auto`` to compare those the CPU is quick at and the bundle has.

    Raises:
        ParityError: No runtime gives the probe photos their recorded probabilities here.
        BundleError: The model cannot be loaded.
        ServingError: This machine or the runtime does not have the precision.
    """
    probes, found = Probes.of(bundle), candidates(bundle, asked, precision)
    best: tuple[Runtime, Trial] | None = None
    trials: list[Trial] = []
    for candidate in found:
        runtime, trial = probes.tried(candidate, threads, concurrency, timed=len(found) > 1)
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
