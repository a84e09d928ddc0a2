"""Static int8 quantization of an ONNX file with ONNX Runtime, calibrated on photos (Jacob et al. 2018).

Weights are int8 with a scale for each channel, activations uint8 with a scale for each tensor. Weights use
seven of their bits: x86 CPUs without VNNI add two products in 16 bits, which eight would overflow (ONNX
Runtime's advice on ``reduce_range``), and a bundle may be served anywhere. Depthwise networks suffer most in
their first layers, whose channels differ widely in range (Nagel et al. 2019): a recipe may leave those in
float. The layers of the outputs, and those that only compute features, are never quantized.
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
_MOST_PERCENTILE_PHOTOS = 24  # percentile calibration holds all their activations in memory at once


@dataclass(frozen=True)
class Recipe:
    """How ranges of activations are found, and what stays in float.

    Attributes:
        name: For a report.
        method: ``MinMax``: the whole range seen; ``Percentile``: without the outermost of 10,000 values.
        float_convolutions: How many of the first convolutions stay in float.
    """

    name: str
    method: Literal["MinMax", "Percentile"]
    float_convolutions: int = 0


RECIPES = (
    Recipe("whole range", "MinMax"),
    Recipe("whole range, first three convolutions in float", "MinMax", 3),
    Recipe("99.99% of the range, first three convolutions in float", "Percentile", 3),
)


def quantize(source: Path, target: Path, photos: NDArray[np.float32], recipe: Recipe) -> None:
    """Writes an int8 model.

    Args:
        source: ONNX file of the float model.
        target: ONNX file to write.
        photos: Photos that calibrate the ranges, float32 [N, 3, size, size].
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
            _calibration_reader(graph.input[0].name, _select(photos, recipe)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=_TYPES,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=_float_nodes(graph, recipe.float_convolutions),
            calibrate_method=CalibrationMethod[recipe.method],
            extra_options={"MatMulConstBOnly": True, "CalibPercentile": _PERCENTILE},
        )


def _select(photos: NDArray[np.float32], recipe: Recipe) -> NDArray[np.float32]:
    most = _MOST_PERCENTILE_PHOTOS if recipe.method == "Percentile" else len(photos)
    return photos[np.linspace(0, len(photos) - 1, min(most, len(photos))).astype(int)]


def _float_nodes(graph: Any, convolutions: int) -> list[str]:
    """Names of the nodes that stay in float: the first convolutions, and nodes that no weights follow."""
    first = [node.name for node in graph.node if node.op_type == "Conv"][:convolutions]
    needed: set[str] = set()  # inputs of nodes from which weights can be reached
    last = []
    for node in reversed(graph.node):  # nodes are in topological order
        leads_to_weights = not needed.isdisjoint(node.output)
        if not leads_to_weights:
            last.append(node.name)
        if leads_to_weights or node.op_type in _WEIGHTED:
            needed.update(node.input)
    return [*first, *last]


def _calibration_reader(name: str, photos: NDArray[np.float32]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        """Gives one photo at a time."""

        def __init__(self) -> None:
            self._remaining = iter(photos)

        def get_next(self) -> dict[str, NDArray[np.float32]] | None:
            photo = next(self._remaining, None)
            return None if photo is None else {name: photo[None]}

    return Reader()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences the library, which prints its progress and warns on the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
