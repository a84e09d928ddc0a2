"""Static int8 from an ONNX file: ONNX Runtime's quantisation, calibrated on photos (Jacob et al. 2018).

Weights are int8 with a scale a channel, activations uint8 with a scale a tensor. Of their bits weights use
seven: x86 CPUs without VNNI add two products in 16 bits, which eight would overflow (ONNX Runtime's advice on
``reduce_range``), and a bundle travels. Depthwise networks suffer most in their first layers, whose channels
differ widely in range (Nagel et al. 2019): a recipe may leave those in float. What gives the outputs, and
what only measures features, are never quantised.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray

FILE = "model.int8.onnx"
_WEIGHTED = ["Conv", "Gemm", "MatMul"]
_TYPES = [*_WEIGHTED, "Clip", "Relu", "Add"]
_PERCENTILE = 99.99
_MOST_KEPT = 24  # photos whose activations the percentile calibration may hold in memory at once


@dataclass(frozen=True)
class Recipe:
    """How ranges of activations are found, and what stays in float.

    Attributes:
        name: For a report.
        method: ``MinMax``: the whole range seen; ``Percentile``: without the outermost of 10,000 values.
        spared: How many of the first convolutions stay in float.
    """

    name: str
    method: Literal["MinMax", "Percentile"]
    spared: int = 0


RECIPES = (
    Recipe("whole range", "MinMax"),
    Recipe("whole range, first three convolutions in float", "MinMax", 3),
    Recipe("99.99% of the range, first three convolutions in float", "Percentile", 3),
)


def quantise(source: Path, target: Path, photos: NDArray[np.float32], recipe: Recipe) -> None:
    """Writes an int8 model.

    Args:
        source: ONNX file of the float model.
        target: ONNX file to write.
        photos: Calibrate the ranges; float32 [N, 3, size, size].
        recipe: How.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as work, _quiet():
        prepared = Path(work) / "prepared.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        quantize_static(
            str(prepared),
            str(target),
            _reader(graph.input[0].name, _kept(photos, recipe)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_TYPES,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_spared(graph, recipe.spared),
            calibrate_method=CalibrationMethod[recipe.method],
            extra_options={"MatMulConstBOnly": True, "CalibPercentile": _PERCENTILE},
        )


def _kept(photos: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    most = _MOST_KEPT if recipe.method == "Percentile" else len(photos)
    return photos[np.linspace(0, len(photos) - 1, min(most, len(photos))).astype(int)]


def _spared(graph: Any, count: int) -> list[str]:
    """Names of the nodes that stay in float: the first convolutions, and what no weight comes after."""
    first = [node.name for node in graph.node if node.op_type == "Conv"][:count]
    wanted: set[str] = set()
    last = []
    for node in reversed(graph.node):  # nodes are in topological order
        leads = not wanted.isdisjoint(node.output)
        if not leads:
            last.append(node.name)
        if leads or node.op_type in _WEIGHTED:
            wanted.update(node.input)
    return [*first, *last]


def _reader(name: str, photos: NDArray[np.float32]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """One photo at a time."""

        def __init__(self) -> None:
            self._rest = iter(photos)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            photo = next(self._rest, None)
            return None if photo is None else {name: photo[None]}

    return Reader()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The library prints how it goes, and warns on the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
