"""Opens a bundle's model with one of three libraries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import cast

from phytoflow.bundle.bundle import Bundle
from phytoflow.bundle.manifest import ModelFormat
from phytoflow.errors import BundleError, ServingError
from phytoflow.inference.runtimes.base import Precision, Runtime, RuntimeName
from phytoflow.system.cpu import has_bf16

RUNTIMES: tuple[RuntimeName, ...] = ("onnx", "openvino", "torchscript")
_PACKAGES = {"onnx": "onnxruntime", "openvino": "openvino", "torchscript": "torch"}
_FORMATS: dict[str, ModelFormat] = {
    "onnx": "onnx",
    "openvino": "onnx",
    "torchscript": "torchscript",
}


def open_runtime(
    name: RuntimeName, bundle: Bundle, *, threads: int, concurrency: int = 1, precision: Precision = "float32"
) -> Runtime:
    """Loads a bundle's model.

    Args:
        name: The library.
        bundle: The bundle.
        threads: CPU threads that one call of ``run`` may use.
        concurrency: Concurrent calls of ``run`` to prepare for; further calls wait or share threads.
        precision: Precision of the arithmetic; tensors stay float32. int8 is a model file of its own.

    Raises:
        BundleError: The bundle has no model file for this library, or it cannot be loaded.
        ServingError: The library is not installed, or does not support the precision on this machine.
    """
    _check(name)
    check_precision(name, precision)
    path = bundle.model_path(_model_format(name, precision))
    try:
        return open_model(name, path, threads=threads, concurrency=concurrency, precision=precision)
    except Exception as error:  # each library raises exceptions of its own
        what = f"{name} cannot load {path}: {str(error)[:300]}"
        raise BundleError(what, remedy="export the bundle again, or choose another runtime") from error


def open_model(
    name: RuntimeName, path: Path, *, threads: int, concurrency: int = 1, precision: Precision = "float32"
) -> Runtime:
    """Loads one model file; raises whatever the library raises."""
    return _opener(name)(str(path), threads, concurrency, precision)


def _check(name: str) -> None:
    if name not in _FORMATS:
        raise ServingError(f"no runtime {name!r}", remedy=f"choose one of {', '.join(RUNTIMES)}")
    if not installed(cast(RuntimeName, name)):
        remedy = f"pip install {_PACKAGES[name]}, or choose another runtime"
        raise ServingError(f"the {name} runtime needs the package {_PACKAGES[name]}", remedy=remedy)


def check_precision(name: RuntimeName, precision: Precision) -> None:
    """Raises ServingError if the runtime or this machine's CPU does not support a precision."""
    if precision == "float32" or (precision == "int8" and _FORMATS[name] == "onnx"):
        return
    if precision == "int8":
        raise ServingError(f"the {name} runtime has no int8", remedy="choose onnx, openvino, or float32")
    if name != "openvino":
        raise ServingError(f"the {name} runtime has no bf16", remedy="choose openvino, or float32")
    if not has_bf16():
        what = "this CPU has no bf16 arithmetic (avx512_bf16 or amx_bf16): it would be many times slower"
        raise ServingError(what, remedy="choose float32")


def installed(name: RuntimeName) -> bool:
    """Whether the runtime's library can be imported; does not import it."""
    return importlib.util.find_spec(_PACKAGES[name]) is not None


def usable(name: RuntimeName, bundle: Bundle, precision: Precision = "float32") -> bool:
    """Whether the library is installed and the bundle has a model file for it."""
    return installed(name) and _model_format(name, precision) in bundle.manifest.models


def _model_format(name: RuntimeName, precision: Precision) -> ModelFormat:
    return "int8" if precision == "int8" else _FORMATS[name]


def _opener(name: RuntimeName) -> Callable[[str, int, int, Precision], Runtime]:
    """Imports only the given library: a predictor with ONNX must not pay for torch."""
    if name == "onnx":
        from phytoflow.inference.runtimes.onnx import OnnxRuntime

        return OnnxRuntime
    if name == "openvino":
        from phytoflow.inference.runtimes.openvino import OpenVinoRuntime

        return OpenVinoRuntime
    from phytoflow.inference.runtimes.torchscript import TorchScriptRuntime

    return TorchScriptRuntime
