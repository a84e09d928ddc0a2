"""Export of a network to ONNX."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

_OPSET = 17  # read by ONNX Runtime since 1.12


def trace_onnx(
    model: nn.Module,
    examples: tuple[Tensor, ...],
    inputs: list[str],
    outputs: list[str],
    opset: int = _OPSET,
) -> bytes:
    """Exports a network with torch's tracing exporter, in about a second.

    ``phytoflow.export.formats.write_format`` takes several seconds for a faster graph.

    Args:
        model: In evaluation mode, on the CPU.
        examples: Its inputs, for two photos.
        inputs: Names of its inputs.
        outputs: Names of its outputs.
        opset: Version of ONNX's operators.

    Returns:
        The content of an ONNX file.
    """
    buffer = io.BytesIO()
    batch_axes = {name: {0: "n"} for name in [*inputs, *outputs]}
    with quiet_exporters(), torch.inference_mode(False), torch.no_grad():
        torch.onnx.export(
            model,
            examples,
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes a buffer too
            dynamo=False,
            opset_version=opset,
            dynamic_axes=batch_axes,
            input_names=inputs,
            output_names=outputs,
        )
    return buffer.getvalue()


@contextmanager
def quiet_exporters() -> Iterator[None]:
    """Silences the exporters: they warn of their deprecation and log each node that they simplify."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
