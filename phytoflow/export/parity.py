"""Parity check: an exported model must give the trained model's answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.manifest import ExportFormat
from phytoflow.errors import ParityError
from phytoflow.export.settings import ExportSettings
from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.system.cpu import cpu_count

_BATCH = 8


@dataclass(frozen=True)
class Parity:
    """How close two sets of probabilities are.

    Attributes:
        max_probability_difference: Largest difference of any probability, 0 to 1; infinite if the two cannot
            be compared.
        top1_agreement: Share of photos that get the same class.
        photos: Number of photos compared.
    """

    max_probability_difference: float
    top1_agreement: float
    photos: int


def compare(trained: NDArray[np.float32], exported: NDArray[np.float32]) -> Parity:
    """Compares probabilities, float32 [N, C] each; one NaN makes the difference infinite."""
    if trained.shape != exported.shape or not np.isfinite(exported).all():
        return Parity(float("inf"), 0.0, len(trained))
    difference = float(np.abs(trained - exported).max())
    agreement = float((trained.argmax(axis=1) == exported.argmax(axis=1)).mean())
    return Parity(difference, agreement, len(trained))


def require_parity(model_format: ExportFormat, parity: Parity, settings: ExportSettings) -> None:
    """Raises ParityError, with the figure and its limit, if a format is too far from the trained model."""
    if parity.max_probability_difference > settings.max_probability_difference:
        raise _parity_error(
            f"{model_format}: a probability differs by {parity.max_probability_difference:.2e} from the "
            "trained model's, more than "
            f"export.max_probability_difference = {settings.max_probability_difference:g}",
            parity,
        )
    if parity.top1_agreement < settings.min_top1_agreement:
        raise _parity_error(
            f"{model_format}: {parity.top1_agreement:.2%} of photos get the trained model's class, fewer "
            f"than export.min_top1_agreement = {settings.min_top1_agreement:.2%}",
            parity,
        )


def predict_exported(
    model_format: ExportFormat, path: Path, tensors: NDArray[np.float32], temperature: float
) -> NDArray[np.float32]:
    """Probabilities that an exported file gives in the runtime that will serve it.

    Args:
        model_format: The file's format.
        path: The file.
        tensors: float32 [N, 3, size, size].
        temperature: Temperature of the calibration.

    Returns:
        float32 [N, C].

    Raises:
        ParityError: The file cannot be run at all.
    """
    try:
        model = open_model(model_format, path, threads=cpu_count())
        logits = [model.run(np.ascontiguousarray(batch)).logits for batch in _split(tensors)]
    except Exception as error:  # each runtime raises exceptions of its own
        what = f"the exported {model_format} model cannot be run: {str(error)[:300]}"
        remedy = f"this is a fault of the export; leave {model_format} out of export.formats"
        raise ParityError(what, remedy=remedy) from error
    return softmax(np.concatenate(logits), temperature)


def _split(tensors: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """One photo alone, then batches: a batch size that is fixed in the graph shows."""
    starts = range(1, len(tensors), _BATCH)
    return [tensors[:1], *(tensors[start : start + _BATCH] for start in starts)]


def _parity_error(what: str, parity: Parity) -> ParityError:
    remedy = "look for a layer that the exporter changes; loosen the limit only if you know why it differs"
    return ParityError(f"{what} ({parity.photos} test photos)", remedy=remedy)
