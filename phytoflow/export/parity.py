"""Whether an exported model still gives the trained model's answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import ExportFormat
from phytoflow.errors import ParityError
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.base import RuntimeName
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.system.cpu import cpu_count

_BATCHES = (1, 8)  # both, so that a batch size baked into the graph shows


@dataclass(frozen=True)
class Parity:
    """How close two sets of answers are.

    Attributes:
        max_probability_difference: Largest difference of any probability, 0..1; infinite if not comparable.
        top1_agreement: Share of photos given the same class.
        photos: How many were compared.
    """

    max_probability_difference: float
    top1_agreement: float
    photos: int


def compare(trained: NDArray[np.float32], exported: NDArray[np.float32]) -> Parity:
    """Compares probabilities, float32 [N, C] each; a NaN anywhere counts as infinitely far."""
    if trained.shape != exported.shape or not np.isfinite(exported).all():
        return Parity(float("inf"), 0.0, len(trained))
    difference = float(np.abs(trained - exported).max())
    agreement = float((trained.argmax(axis=1) == exported.argmax(axis=1)).mean())
    return Parity(difference, agreement, len(trained))


def check(form: ExportFormat, parity: Parity, settings: ExportSettings) -> None:
    """Refuses a form that is too far from the trained model.

    Raises:
        ParityError: Naming the figure and its limit.
    """
    if parity.max_probability_difference > settings.max_probability_difference:
        _refuse(
            f"{form}: a probability differs by {parity.max_probability_difference:.2e} from the trained "
            f"model's, more than export.max_probability_difference = {settings.max_probability_difference:g}",
            parity,
        )
    if parity.top1_agreement < settings.min_top1_agreement:
        _refuse(
            f"{form}: {parity.top1_agreement:.2%} of photos get the trained model's class, fewer than "
            f"export.min_top1_agreement = {settings.min_top1_agreement:.2%}",
            parity,
        )


def answers(
    form: ExportFormat, path: Path, tensors: NDArray[np.float32], temperature: float
) -> NDArray[np.float32]:
    """What an exported file answers, by the runtime that will serve it.

    Args:
        form: The file's form.
        path: The file.
        tensors: float32 [N, 3, size, size].
        temperature: Of the calibration.

    Returns:
        Probabilities, float32 [N, C].

    Raises:
        ParityError: The file cannot be run at all.
    """
    runtime: RuntimeName = form
    try:
        model = open_model(runtime, path, threads=cpu_count())
        rows = [model.run(np.ascontiguousarray(batch)).logits for batch in _split(tensors)]
    except Exception as error:  # each runtime raises its own kinds
        remedy = "this is a fault of the export; leave the form out of export.formats"
        raise ParityError(
            f"the exported {form} model cannot be run: {str(error)[:300]}", remedy=remedy
        ) from error
    return softmax(np.concatenate(rows), temperature)


def _split(tensors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """One photo alone, then batches."""
    first, size = _BATCHES
    rest = range(first, len(tensors), size)
    return [tensors[:first], *(tensors[start : start + size] for start in rest)]


def _refuse(what: str, parity: Parity) -> None:
    remedy = "look for a layer that the exporter changes; loosen the limit only if you know why it differs"
    raise ParityError(f"{what} ({parity.photos} test photos)", remedy=remedy)
