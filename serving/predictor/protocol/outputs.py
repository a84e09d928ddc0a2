"""V2 outputs: which of them a request asks for, and their tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from kserve import InferRequest
from numpy.typing import NDArray

from phytoflow.inference.predictions import Predictions
from phytoflow.protocol.constants import EXPLANATION, FEATURES, OOD_OUTPUTS, OUTPUTS
from serving.predictor.errors import malformed

_CLASSIFIED = "probabilities"  # the output that Triton's parameter ``classification`` applies to
_PARAMETERS = {"binary_data", "classification", "content_type"}  # MLServer's clients send the last one


class OutputRequest(NamedTuple):
    """An output that a request asks for.

    Attributes:
        name: Its name.
        binary: Whether it is returned as raw bytes over REST; None: as the request says for all outputs.
        classes: Triton's ``classification``: number of best classes to return as ``SCORE:INDEX:LABEL``
            strings in place of the probabilities; 0: not requested.
    """

    name: str
    binary: bool | None = None
    classes: int = 0


@dataclass(frozen=True)
class PredictionOutputs:
    """The predictions for N photos as named tensors; a tensor is made only when it is asked for.

    Attributes:
        predictions: Predictions for the photos.
        milliseconds: Time each photo took in a worker.
        top_k: Number of best labels to return for each photo.
        explanation: Heat maps, float32 [N, h, w] in 0..1, if they were requested.
    """

    predictions: Predictions
    milliseconds: list[float]
    top_k: int
    explanation: NDArray[np.float32] | None = None

    def select(self, requested: tuple[OutputRequest, ...]) -> Iterator[tuple[OutputRequest, NDArray[Any]]]:
        """Yields the requested outputs with their tensors; all but the features if none is requested."""
        for output in requested or map(OutputRequest, self._names()):
            values = self._classification(output.classes) if output.classes else self._tensor(output.name)
            if values is not None:
                yield output, values

    @cached_property
    def top(self) -> tuple[list[list[str]], NDArray[np.float32]]:
        """The ``top_k`` best labels of each photo and their probabilities [N, top_k]."""
        return self.predictions.top(self.top_k)

    def _names(self) -> tuple[str, ...]:
        return output_names(ood=self.predictions.novelty is not None, explain=self.explanation is not None)

    def _tensor(self, name: str) -> NDArray[Any] | None:
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
            case "features":
                return self.predictions.features
        return None

    def _classification(self, count: int) -> NDArray[np.object_]:
        """Strings ``SCORE:INDEX:LABEL`` of the best classes, object [N, count], as Triton returns them."""
        probabilities, classes = self.predictions.probabilities, self.predictions.classes
        best = np.argsort(-probabilities, axis=1, kind="stable")[:, :count]
        rows = zip(probabilities, best.tolist(), strict=True)
        return np.array([[f"{row[i]:f}:{i}:{classes[i]}" for i in order] for row, order in rows], np.object_)


def output_names(*, ood: bool, explain: bool = False, features: bool = False) -> tuple[str, ...]:
    """Names of outputs.

    Args:
        ood: Whether the bundle detects out-of-distribution photos.
        explain: Whether an explanation was requested.
        features: Whether to include the features, which only a request that names them gets.
    """
    optional = ((FEATURES,) if features else ()) + ((EXPLANATION,) if explain else ())
    return OUTPUTS + (OOD_OUTPUTS if ood else ()) + optional


def parse_outputs(request: InferRequest, known: tuple[str, ...]) -> tuple[OutputRequest, ...]:
    """Reads which outputs a request asks for, before any photo is run; empty: all of them.

    Raises:
        RequestError: 400, for an unknown output or a wrong parameter.
    """
    if not isinstance(request.use_binary_outputs, bool):
        raise malformed("binary_data_output is not true or false")
    return tuple(
        _parse(output.name, output.parameters or {}, known) for output in request.request_outputs or ()
    )


def _parse(name: str, parameters: Mapping[str, Any], known: tuple[str, ...]) -> OutputRequest:
    if name not in known:
        raise malformed(f"no output {name[:40]!r}; there are {', '.join(known)}")
    if unknown := sorted(parameters.keys() - _PARAMETERS):
        supported = ", ".join(sorted(_PARAMETERS))
        raise malformed(f"output {name!r}: unknown parameter {unknown[0][:40]!r}; known are {supported}")
    binary = parameters.get("binary_data")
    if not isinstance(binary, bool | None):
        raise malformed(f"output {name!r}: binary_data is not true or false")
    return OutputRequest(name, binary, _parse_classification(name, parameters.get("classification", 0)))


def _parse_classification(name: str, count: Any) -> int:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise malformed(f"output {name!r}: classification is not a number of classes")
    if count and name != _CLASSIFIED:
        raise malformed(f"output {name!r}: classification can be requested for {_CLASSIFIED!r} only")
    return count
