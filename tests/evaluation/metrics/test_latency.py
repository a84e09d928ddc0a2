"""The latency gate judges the model and not what else the machine does."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from benchmarks.evaluation.latency import busy_loops
from phytoflow.bundle.bundle import MANIFEST, Bundle, write_manifest
from phytoflow.evaluation.gate.conditions import judge
from phytoflow.evaluation.gate.settings import GateSettings
from phytoflow.evaluation.metrics.latency import Latency, measure_latency
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.checksum import file_sha256
from tests.support.colour_bundle import SHADES, jpeg
from tests.support.metrics import example_metrics

CHANNELS, LAYERS = 64, 12
PHOTOS = [jpeg(SHADES["red"], seed) for seed in range(15)]


def convolutions(colours: onnx.ModelProto, layers: int) -> onnx.ModelProto:
    """The model of colours, with convolutions before it whose result it adds times zero."""
    weights = np.random.default_rng(0).normal(0, 0.05, (CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
    first, last = weights[:, :3], weights[:3]
    tensors = {"first": first, "middle": weights, "last": last, "zero": np.zeros(1, np.float32)}
    nodes = [helper.make_node("Conv", ["input", "first"], ["h0"], pads=[1, 1, 1, 1])]
    for number in range(layers):
        nodes.append(helper.make_node("Conv", [f"h{number}", "middle"], [f"c{number}"], pads=[1, 1, 1, 1]))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"h{number + 1}"]))
    nodes += [
        helper.make_node("Conv", [f"h{layers}", "last"], ["back"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["back", "zero"], ["nothing"]),
        helper.make_node("Add", ["input", "nothing"], ["same"]),
    ]
    graph = colours.graph
    for node in graph.node:
        node.input[:] = ["same" if name == "input" else name for name in node.input]
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 32, 32])
    tensors_of = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    made = helper.make_graph(
        [*nodes, *graph.node], "slow", [given], graph.output, [*graph.initializer, *tensors_of]
    )
    return helper.make_model(made, opset_imports=colours.opset_import, ir_version=colours.ir_version)


@pytest.fixture(scope="module")
def slowed(
    colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], Classifier]:
    """Opens a bundle with this number of convolutions."""

    def open_bundle(layers: int) -> Classifier:
        folder = colour_bundle(tmp_path_factory.mktemp("slow") / str(layers))
        onnx.save(convolutions(onnx.load(folder / "model.onnx"), layers), folder / "model.onnx")
        manifest = Bundle.load(folder, verify=False).manifest
        file = manifest.models["onnx"].model_copy(update={"sha256": file_sha256(folder / "model.onnx")})
        (folder / MANIFEST).unlink()
        write_manifest(folder, manifest.model_copy(update={"models": {"onnx": file}}))
        return Classifier.load(folder, "onnx")

    return open_bundle


def passes(latency: Latency, limit: float) -> bool:
    metrics = example_metrics(
        mean_latency_ms=latency.mean, median_latency_ms=latency.median, cpu_latency_ms=latency.cpu
    )
    (condition,) = (
        c for c in judge(metrics, GateSettings(max_latency_ms=limit)).conditions if c.name == "latency_ms"
    )
    return condition.passed


def test_a_model_passes_on_a_busy_machine_and_one_three_times_slower_never_does(
    slowed: Callable[[int], Classifier],
) -> None:
    model, slow = slowed(LAYERS), slowed(3 * LAYERS)
    idle, slow_idle = measure_latency(model, PHOTOS), measure_latency(slow, PHOTOS)
    with busy_loops(2):
        busy, slow_busy = measure_latency(model, PHOTOS), measure_latency(slow, PHOTOS)
    assert idle.cpu is not None
    limit = 1.7 * idle.cpu
    assert passes(idle, limit) and passes(busy, limit)
    assert not passes(slow_idle, limit) and not passes(slow_busy, limit)


def test_times_are_those_of_single_photos(slowed: Callable[[int], Classifier]) -> None:
    latency = measure_latency(slowed(1), PHOTOS)
    assert 0 < latency.median <= latency.p95
    assert latency.mean > 0 and latency.cpu is not None and latency.cpu > 0


def test_on_a_gpu_there_is_no_cpu_time(
    slowed: Callable[[int], Classifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    classifier = slowed(1)
    classifier.choice = replace(classifier.choice, device="NVIDIA H200")
    assert measure_latency(classifier, PHOTOS[:5]).cpu is None
