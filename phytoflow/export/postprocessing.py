"""Appends the post-processing to ONNX files: from logits and features to probabilities and novelty.

After a run of the network the caches are cold: each of about twenty small numpy calls a batch then costs
several times its usual time, and nodes of the file cost less. The nodes are traced from the same formulas
that serve files without them: TorchScript, bf16, older bundles.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import BundleManifest, ModelFile, ModelFormat
from phytoflow.bundle.reports import Int8Report
from phytoflow.errors import ParityError
from phytoflow.inference.predictions import softmax
from phytoflow.inference.runtimes.base import DERIVED_OUTPUTS
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.inference.tolerance import TOLERANCES
from phytoflow.models.onnx_export import trace_onnx
from phytoflow.ood.detector import OodDetector
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.cpu import cpu_count

_ONNX_FORMATS: tuple[ModelFormat, ...] = ("onnx", "int8")
_INPUTS = ["logits", "features"]
_PREFIX = "answer/"  # of the appended nodes' names, which must not be those of the network's
_MOST_COMPARED = 8


class PostProcessing(nn.Module):
    """Maps logits [N, C] and features [N, D] to probabilities [N, C] and, with a detector, novelty [N].

    Args:
        temperature: Temperature of the calibration.
        detector: The OOD detector, if there is one.
    """

    def __init__(self, temperature: float, detector: OodDetector | None) -> None:
        super().__init__()
        self.temperature = temperature
        self.detector = detector and replace(
            detector, statistics=detector.statistics.convert(torch.from_numpy)
        )

    def forward(self, logits: Any, features: Any) -> tuple[Any, ...]:
        """The same formulas as for numpy arrays."""
        probabilities = softmax(logits, self.temperature)
        return (probabilities, self.detector.novelty(logits, features)) if self.detector else (probabilities,)


def append_postprocessing(
    folder: Path, manifest: BundleManifest, tensors: NDArray[np.float32]
) -> BundleManifest:
    """Appends the post-processing to a bundle's ONNX files.

    Args:
        folder: Folder of the bundle, complete except for its manifest.
        manifest: The manifest so far.
        tensors: Photos to check the result with, float32 [N, 3, size, size].

    Returns:
        The manifest with the new hashes and sizes.

    Raises:
        ParityError: A file does not give what the formulas give.
    """
    detector, models = OodDetector.from_bundle(Bundle(folder, manifest)), dict(manifest.models)
    for model_format in (name for name in _ONNX_FORMATS if name in models):
        path = folder / models[model_format].file
        extend_file(path, PostProcessing(manifest.temperature, detector))
        require_same_outputs(path, manifest.temperature, detector, tensors[:_MOST_COMPARED])
        changes = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        models[model_format] = models[model_format].model_copy(update=changes)
    return manifest.model_copy(update={"models": models, "int8": _update_sizes(manifest.int8, models)})


def _update_sizes(report: Int8Report | None, models: dict[ModelFormat, ModelFile]) -> Int8Report | None:
    """The int8 report with the present size of both files."""
    if report is None or "int8" not in models:
        return report
    sizes = {"bytes": models["int8"].bytes, "float_bytes": models["onnx"].bytes}
    return report.model_copy(update=sizes)


def extend_file(path: Path, postprocessing: PostProcessing) -> None:
    """Appends the post-processing to an ONNX file that gives logits and features."""
    network = onnx.load(path)
    appended = _trace(network, postprocessing)
    appended.ir_version = network.ir_version
    outputs = [output.name for model in (network, appended) for output in model.graph.output]
    connections = [(entry.name.removeprefix(_PREFIX), entry.name) for entry in appended.graph.input]
    merged = onnx.compose.merge_models(network, appended, io_map=connections, outputs=outputs)
    path.write_bytes(merged.SerializeToString())


def _trace(network: onnx.ModelProto, postprocessing: PostProcessing) -> onnx.ModelProto:
    """The post-processing as a model; all names but those of its outputs begin with the prefix."""
    dimensions = {output.name: output.type.tensor_type.shape.dim for output in network.graph.output[:2]}
    examples = tuple(torch.rand(2, dimensions[name][1].dim_value) for name in _INPUTS)
    outputs = list(DERIVED_OUTPUTS[: len(postprocessing(*examples))])
    opset = network.opset_import[0].version
    content = trace_onnx(postprocessing.eval(), examples, _INPUTS, outputs, opset)
    return onnx.compose.add_prefix(onnx.load_from_string(content), _PREFIX, rename_outputs=False)


def require_same_outputs(
    path: Path, temperature: float, detector: OodDetector | None, tensors: NDArray[np.float32]
) -> None:
    """Raises ParityError if a file does not give what the formulas give."""
    outputs = open_model("onnx", path, threads=cpu_count()).run(np.ascontiguousarray(tensors))
    expected = [softmax(outputs.logits, temperature)]
    if detector and outputs.features is not None:
        expected.append(detector.novelty(outputs.logits, outputs.features))
    tolerance = TOLERANCES["float32"]  # the formulas run in float, also behind an int8 network
    for name, values in zip(DERIVED_OUTPUTS, expected, strict=False):
        given = getattr(outputs, name)
        if given is None or not np.allclose(given, values, rtol=tolerance, atol=tolerance):
            remedy = "this is a fault of the export; leave onnx out of export.formats"
            raise ParityError(f"{path.name}: {name} and the formula differ", remedy=remedy)
