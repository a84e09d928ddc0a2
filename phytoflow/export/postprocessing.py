"""The end of an answer as part of the ONNX files: from logits and features to probabilities and novelty.

After a run of the network the caches are cold, and each of some twenty calls of numpy a batch, small as they
are, then costs several times its usual time; nodes of the file cost less. They are traced from the formulas
that serve wherever a file ends with logits and features: TorchScript, bf16, older bundles.
"""

from __future__ import annotations

import tempfile
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
from phytoflow.inference.runtimes.base import ANSWERS
from phytoflow.inference.runtimes.factory import open_model
from phytoflow.models.onnx_export import trace_onnx
from phytoflow.ood.detector import OodDetector
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.cpu import cpu_count

_FORMS: tuple[ModelFormat, ...] = ("onnx", "int8")
_GIVEN = ["logits", "features"]
_PREFIX = "answer/"
_TOLERANCE = 1e-3
_MOST_COMPARED = 8


class PostProcessing(nn.Module):
    """Logits [N, C] and features [N, D] to probabilities [N, C] and, with a detector, novelty [N].

    Args:
        temperature: Of the calibration.
        detector: Tells strangers; None: nothing does.
    """

    def __init__(self, temperature: float, detector: OodDetector | None) -> None:
        super().__init__()
        self.temperature = temperature
        self.detector = detector and replace(
            detector, statistics=detector.statistics.convert(torch.from_numpy)
        )

    def forward(self, logits: Any, features: Any) -> tuple[Any, ...]:
        """The formulas are those for numpy's arrays."""
        probabilities = softmax(logits, self.temperature)
        return (probabilities, self.detector.novelty(logits, features)) if self.detector else (probabilities,)


def append_postprocessing(
    folder: Path, manifest: BundleManifest, tensors: NDArray[np.float32]
) -> BundleManifest:
    """Lets a bundle's ONNX files, int8 or not, answer by themselves.

    Args:
        folder: Of the bundle, complete but for its manifest.
        manifest: Of the bundle.
        tensors: Photos that check it, float32 [N, 3, size, size].

    Returns:
        The manifest with the files as they are now.

    Raises:
        ParityError: A file does not answer as the formulas do.
    """
    detector, models = OodDetector.from_bundle(Bundle(folder, manifest)), dict(manifest.models)
    for form in (form for form in _FORMS if form in models):
        path = folder / models[form].file
        extend(path, PostProcessing(manifest.temperature, detector))
        check(path, manifest.temperature, detector, tensors[:_MOST_COMPARED])
        facts = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        models[form] = models[form].model_copy(update=facts)
    return manifest.model_copy(update={"models": models, "int8": _weighed(manifest.int8, models)})


def _weighed(int8: Int8Report | None, models: dict[ModelFormat, ModelFile]) -> Int8Report | None:
    """What is said of int8, with both files' sizes as they are now."""
    if int8 is None or "int8" not in models:
        return int8
    sizes = {"bytes": models["int8"].bytes, "float_bytes": models["onnx"].bytes}
    return int8.model_copy(update=sizes)


def extend(path: Path, answering: PostProcessing) -> None:
    """Adds the end to an ONNX file that gives logits and features."""
    body = onnx.load(path)
    end = _traced(body, answering)
    end.ir_version = body.ir_version
    found = [output.name for output in body.graph.output]
    given = [(entry.name.removeprefix(_PREFIX), entry.name) for entry in end.graph.input]
    told = [output.name for output in end.graph.output]
    onnx.save(onnx.compose.merge_models(body, end, io_map=given, outputs=[*found, *told]), path)


def _traced(body: onnx.ModelProto, answering: PostProcessing) -> onnx.ModelProto:
    """The end alone; all its names but those of its outputs begin with the prefix."""
    sizes = {output.name: output.type.tensor_type.shape.dim[1].dim_value for output in body.graph.output[:2]}
    examples = tuple(torch.rand(2, sizes[name]) for name in _GIVEN)
    told = list(ANSWERS[: len(answering(*examples))])
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / "end.onnx"
        trace_onnx(answering.eval(), examples, path, _GIVEN, told, opset=body.opset_import[0].version)
        return onnx.compose.add_prefix(onnx.load(path), _PREFIX, rename_outputs=False)


def check(path: Path, temperature: float, detector: OodDetector | None, tensors: NDArray[np.float32]) -> None:
    """Compares a file's answers with those of the formulas; raises ParityError."""
    found = open_model("onnx", path, threads=cpu_count()).run(np.ascontiguousarray(tensors))
    expected = [softmax(found.logits, temperature)]
    if detector and found.features is not None:
        expected.append(detector.novelty(found.logits, found.features))
    for name, right in zip(ANSWERS, expected, strict=False):
        answer = getattr(found, name)
        if answer is None or not np.allclose(answer, right, rtol=_TOLERANCE, atol=_TOLERANCE):
            what = f"{path.name}: {name} and the formula differ"
            raise ParityError(what, remedy="this is a fault of the export; leave onnx out of export.formats")
