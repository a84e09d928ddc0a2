"""Writes a trained model as TorchScript and ONNX, both with a free batch size."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from phytoflow.bundle.manifest import ExportFormat
from phytoflow.errors import ParityError
from phytoflow.inference.runtimes.base import Outputs
from phytoflow.models.onnx_export import quiet_exporters, trace_onnx

FILES: dict[ExportFormat, str] = {"torchscript": "model.torchscript.pt", "onnx": "model.onnx"}
_LOG = logging.getLogger(__name__)
_INPUT = "photos"


def write_format(model_format: ExportFormat, model: nn.Module, example: Tensor, folder: Path) -> Path:
    """Writes a model in one format.

    Args:
        model_format: The format.
        model: The trained model, in evaluation mode, on the CPU.
        example: float32 [2, 3, size, size]; two photos, so that the exporters do not fix the batch size at 1.
        folder: Where the file goes, under its name in ``FILES``.

    Returns:
        The file.

    Raises:
        ParityError: The model cannot be expressed in this format.
    """
    serializers: dict[ExportFormat, Callable[[nn.Module, Tensor], bytes]] = {
        "torchscript": _to_torchscript,
        "onnx": _to_onnx,
    }
    with quiet_exporters(), torch.inference_mode(False), torch.no_grad():
        content = serializers[model_format](model, example)
    path = folder / FILES[model_format]
    path.write_bytes(content)  # not by the exporters: on a full disk they raise errors that do not say so
    return path


def _to_torchscript(model: nn.Module, example: Tensor) -> bytes:
    traced = torch.jit.trace(model, example, check_trace=False)  # type: ignore[no-untyped-call]
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.freeze(traced), buffer)
    return buffer.getvalue()


def _to_onnx(model: nn.Module, example: Tensor) -> bytes:
    """Uses torch.export's exporter, whose graph runs a fifth faster, or the tracing one if that fails."""
    try:
        return _export_onnx(model, example)
    except Exception as first:  # either exporter raises whatever the model's code provokes
        _LOG.info("torch.export's ONNX exporter failed (%s); trying the tracing one", str(first)[:200])
        try:
            return trace_onnx(model, (example,), [_INPUT], _output_names(model, example))
        except Exception as error:
            what = f"the model cannot be written as ONNX: {str(error)[:300]}"
            raise ParityError(what, remedy="leave onnx out of export.formats") from error


def _export_onnx(model: nn.Module, example: Tensor) -> bytes:
    program = torch.onnx.export(
        model,
        (example,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        verbose=False,
        input_names=[_INPUT],
        output_names=_output_names(model, example),
    )
    assert program is not None
    return bytes(program.model_proto.SerializeToString())


def _output_names(model: nn.Module, example: Tensor) -> list[str]:
    """Names of the outputs by their number: logits alone, or the first fields of ``Outputs``."""
    outputs = model(example)
    return list(Outputs._fields[: len(outputs)]) if isinstance(outputs, tuple) else ["logits"]
