"""The V2 outputs: which there are, and what is made of what was found about photos."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from kserve import InferRequest
from numpy.typing import NDArray

from phytoflow.inference.predictions import Predictions
from phytoflow.protocol.constants import EXPLANATION, OOD_OUTPUTS, OUTPUTS
from serving.predictor.errors import malformed


@dataclass(frozen=True)
class Found:
    """What was found about N photos; an output is made only where it is wanted.

    Attributes:
        predictions: Of the photos.
        milliseconds: Of each.
        top_k: Labels a photo.
        explanation: float32 [N, h, w], where asked for.
    """

    predictions: Predictions
    milliseconds: list[float]
    top_k: int
    explanation: NDArray[np.float32] | None = None

    def names(self) -> tuple[str, ...]:
        """All outputs that there are."""
        return names_of(open_set=self.predictions.novelty is not None, explain=self.explanation is not None)

    def tensor(self, name: str) -> NDArray[Any] | None:
        """An output, or None where there is none of the name."""
        match name:
            case "probabilities":
                return self.predictions.probabilities
            case "labels":
                return np.array(self.top[0], np.object_)
            case "scores":
                return self.top[1]
            case "milliseconds":
                return np.array(self.milliseconds, np.float32)
            case "known":
                return self.predictions.known
            case "novelty":
                return self.predictions.novelty
            case "explanation":
                return self.explanation
        return None

    @cached_property
    def top(self) -> tuple[list[list[str]], NDArray[np.float32]]:
        """The likeliest labels of each photo and their probabilities."""
        return self.predictions.top(self.top_k)


def names_of(*, open_set: bool, explain: bool = False) -> tuple[str, ...]:
    """The names of what is answered, with or without a bundle's open-set statistics and an explanation."""
    return OUTPUTS + (OOD_OUTPUTS if open_set else ()) + ((EXPLANATION,) if explain else ())


def check(request: InferRequest, known: tuple[str, ...]) -> None:
    """Refuses outputs that are none of the known ones, before any photo is run."""
    for output in request.request_outputs or []:
        if output.name not in known:
            raise malformed(f"no output {output.name[:40]!r}; there are {', '.join(known)}")
        if not isinstance(output.binary_data, bool | None):
            raise malformed(f"output {output.name!r}: binary_data is not true or false")
    if not isinstance(request.use_binary_outputs, bool):
        raise malformed("binary_data_output is not true or false")
