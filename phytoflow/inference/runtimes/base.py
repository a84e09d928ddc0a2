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


ANSWERS = ("probabilities", "novelty")  # those of ``Outputs`` that follow from the others


class Outputs(NamedTuple):
    """What a model gives for N photos. A file may end with logits, or know the rest of the answer, too.

    Attributes:
        logits: float32 [N, C].
        features: float32 [N, D], pooled, from which strangeness is told; None if the model does not say.
        evidence: float32 [N, C, h, w], what each place adds to each logit; None if the model does not say.
        probabilities: float32 [N, C], calibrated; None if the file ends with logits.
        novelty: float32 [N], see ``phytoflow.ood.detector``; None likewise.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None = None
    evidence: NDArray[np.float32] | None = None
    probabilities: NDArray[np.float32] | None = None
    novelty: NDArray[np.float32] | None = None

    def calibrated(self, temperature: float) -> NDArray[np.float32]:
        """Probabilities, float32 [N, C]: the file's own, or what the bundle's temperature makes of logits."""
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
        """Runs the model. Thread-safe; more concurrent calls than ``concurrency`` wait or share threads.

        Args:
            tensor: float32 [N, 3, H, W], normalised, C-contiguous.
            exclusive: Whether no other call is running, so that this one may use every CPU thread.

        Returns:
            Its outputs, with memory of their own.
        """
        ...


def named(outputs: Sequence[str]) -> dict[str, int]:
    """Where each of ``Outputs`` stands among a file's outputs; the first one is the logits."""
    return {"logits": 0} | {name: at for at, name in enumerate(outputs) if at and name in Outputs._fields}
