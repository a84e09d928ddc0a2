"""Export of a network to ONNX."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

_OPSET = 17


def trace_onnx(
    model: nn.Module,
    examples: tuple[Tensor, ...],
    path: Path,
    inputs: list[str],
    outputs: list[str],
    opset: int = _OPSET,
) -> None:
    """Writes ONNX in a second, where ``write_format`` takes several for a faster graph.

    Args:
        model: In evaluation mode, on the CPU.
        examples: Its inputs, for two photos.
        path: Where to.
        inputs: What its inputs are to be called.
        outputs: What its outputs are to be called.
        opset: Version of ONNX's operators.
    """
    free = {name: {0: "n"} for name in [*inputs, *outputs]}
    with _quiet(), torch.inference_mode(False), torch.no_grad():
        torch.onnx.export(
            model,
            examples,
            str(path),
            dynamo=False,
            opset_version=opset,
            dynamic_axes=free,
            input_names=inputs,
            output_names=outputs,
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporters warn about being deprecated and log each node that they simplify."""
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
