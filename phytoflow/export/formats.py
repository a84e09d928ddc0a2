"""The forms a trained model is exported to: TorchScript and ONNX, both with a free batch size."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from phytoflow.bundle.manifest import ExportFormat
from phytoflow.errors import ParityError
from phytoflow.inference.runtimes.base import Outputs
from phytoflow.models.onnx_export import _quiet, trace_onnx

FILES: dict[ExportFormat, str] = {"torchscript": "model.torchscript.pt", "onnx": "model.onnx"}
_LOG = logging.getLogger(__name__)
_INPUT = "photos"


def write_format(form: ExportFormat, model: nn.Module, example: Tensor, folder: Path) -> Path:
    """Writes one form of a model.

    Args:
        form: What to write.
        model: The trained model, in evaluation mode, on the CPU.
        example: float32 [2, 3, size, size]; two photos, so that no batch size is baked in as one.
        folder: Where the file goes, under its name in ``FILES``.

    Raises:
        ParityError: The model cannot be expressed in this form.
    """
    writers: dict[ExportFormat, Callable[[nn.Module, Tensor, Path], None]] = {
        "torchscript": _write_torchscript,
        "onnx": _write_onnx,
    }
    path = folder / FILES[form]
    with _quiet(), torch.inference_mode(False), torch.no_grad():
        writers[form](model, example, path)
    return path


def _write_torchscript(model: nn.Module, example: Tensor, path: Path) -> None:
    traced = torch.jit.trace(model, example, check_trace=False)  # type: ignore[no-untyped-call]
    torch.jit.freeze(traced).save(str(path))


def _write_onnx(model: nn.Module, example: Tensor, path: Path) -> None:
    """torch.export's exporter first: its graph runs a fifth faster; the tracing one where it fails."""
    try:
        _export_onnx(model, example, path)
    except Exception as first:  # either exporter raises whatever the model's code provokes
        _LOG.info("torch.export's ONNX exporter failed (%s); trying the tracing one", str(first)[:200])
        try:
            trace_onnx(model, (example,), path, [_INPUT], _names(model, example))
        except Exception as error:
            what = f"the model cannot be written as ONNX: {str(error)[:300]}"
            raise ParityError(what, remedy="leave onnx out of export.formats") from error


def _export_onnx(model: nn.Module, example: Tensor, path: Path) -> None:
    torch.onnx.export(
        model,
        (example,),
        str(path),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        external_data=False,
        verbose=False,
        input_names=[_INPUT],
        output_names=_names(model, example),
    )


def _names(model: nn.Module, example: Tensor) -> list[str]:
    """Names of the outputs, by their number: logits alone, or what ``Outputs`` has."""
    found = model(example)
    return list(Outputs._fields[: len(found)]) if isinstance(found, tuple) else ["logits"]
