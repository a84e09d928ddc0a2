"""The interface of every runtime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from phytoflow.inference.predictions import softmax

RuntimeName = Literal["onnx", "openvino", "torchscript"]
Precision = Literal["float32", "bf16", "int8"]
CPU = "CPU"
DERIVED_OUTPUTS = ("probabilities", "novelty")  # fields of ``Outputs`` that are computed from the others


class Outputs(NamedTuple):
    """What a model returns for N photos. A file may end with logits, or include the post-processing.

    Attributes:
        logits: float32 [N, C].
        features: float32 [N, D], for OOD detection; None if the model does not return them.
        evidence: float32 [N, C, h, w], what each place adds to each logit; None if the model does not return
            it.
        probabilities: float32 [N, C], calibrated; None if the file ends with logits.
        novelty: float32 [N], see ``phytoflow.ood.detector``; None if the file ends with logits.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None = None
    evidence: NDArray[np.float32] | None = None
    probabilities: NDArray[np.float32] | None = None
    novelty: NDArray[np.float32] | None = None

    def calibrated(self, temperature: float) -> NDArray[np.float32]:
        """Probabilities, float32 [N, C]: the file's own, or the softmax at the bundle's temperature."""
        return softmax(self.logits, temperature) if self.probabilities is None else self.probabilities


class Runtime(Protocol):
    """A loaded model.

    Attributes:
        name: The library.
        device: Where it computes: ``CPU``, or the GPU's own name.
    """

    name: RuntimeName
    device: str

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """Runs the model; may be called from any thread, and from more than it was opened for.

        Args:
            tensor: float32 [N, 3, H, W], normalised, C-contiguous.
            exclusive: Whether no other call is running, so that this one may use every thread.

        Returns:
            Outputs with memory of their own.
        """
        ...


def output_positions(names: Sequence[str]) -> dict[str, int]:
    """Position of each field of ``Outputs`` among a file's outputs; the first output is the logits."""
    return {"logits": 0} | {name: at for at, name in enumerate(names) if at and name in Outputs._fields}
