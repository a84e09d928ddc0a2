"""What is quantized, and what stays in float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from phytoflow.export.formats import write_format
from phytoflow.export.quantization.quantize import RECIPES, Recipe, quantize
from phytoflow.export.serving_module import ServingModule
from tests.support.make_bundle import SIDE, pictures, trained_model


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    module = ServingModule(trained_model().model, 1).eval()
    return write_format("onnx", module, torch.rand(2, 3, SIDE, SIDE), tmp_path_factory.mktemp("float"))


@pytest.fixture(scope="module")
def photos() -> np.ndarray:
    return np.stack([trained_model().preprocessing(photo.content) for photo in pictures(8)])


def int8_convolutions(path: Path) -> list[str]:
    graph = onnx.load(path).graph
    made = {name: node for node in graph.node for name in node.output}
    return [node.name for node in graph.node if node.op_type == "Conv" and node.input[1] in made]


def test_convolutions_are_int8_and_the_outputs_layers_are_not(
    source: Path, photos: np.ndarray, tmp_path: Path
) -> None:
    quantize(source, tmp_path / "int8.onnx", photos, RECIPES[0])
    graph = onnx.load(tmp_path / "int8.onnx").graph
    assert len(int8_convolutions(tmp_path / "int8.onnx")) >= 3
    weights = [t for t in graph.initializer if t.data_type == onnx.TensorProto.INT8 and len(t.dims) > 1]
    largest = max(int(np.abs(numpy_helper.to_array(tensor).astype(int)).max()) for tensor in weights)
    assert 32 < largest <= 64  # seven bits: products of eight overflow on CPUs that add them in 16
    made = {name: node for node in graph.node for name in node.output}
    for output in ("logits", "evidence"):
        assert not [name for name in made[output].input if name in made and "DequantizeLinear" in name]


@pytest.mark.parametrize("method", ["MinMax", "Percentile"])
def test_the_first_convolutions_may_stay_in_float(
    source: Path, photos: np.ndarray, tmp_path: Path, method: str
) -> None:
    for convolutions in (0, 3):
        recipe = Recipe("test", method, convolutions)  # type: ignore[arg-type]
        quantize(source, tmp_path / f"{convolutions}.onnx", photos, recipe)
    whole, spared = (int8_convolutions(tmp_path / f"{count}.onnx") for count in (0, 3))
    assert len(whole) - len(spared) == 3 and set(spared) < set(whole)
