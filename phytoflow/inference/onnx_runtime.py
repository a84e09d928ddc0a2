"""ONNX Runtime on the CPU."""

from __future__ import annotations

import functools

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from phytoflow.inference.runtime import Outputs, Precision, RuntimeName, named

_ERRORS_ONLY = 3


class OnnxRuntime:
    """See ``phytoflow.inference.runtime.Runtime``.

    With one thread a call runs on the caller's own thread, so lanes need nothing but their threads.
    """

    name: RuntimeName = "onnx"

    def __init__(self, path: str, threads: int, lanes: int, precision: Precision = "float32") -> None:
        self._path, self._threads, self._lanes = path, threads, lanes
        self._narrow = self._open(threads)
        self._input = self._narrow.get_inputs()[0].name
        self._outputs = named([output.name for output in self._narrow.get_outputs()])

    def run(self, tensor: NDArray[np.float32], *, alone: bool = False) -> Outputs:
        """Runs the model."""
        session = self._wide if alone and self._lanes > 1 else self._narrow
        found = session.run(None, {self._input: tensor})
        return Outputs(**{name: found[at] for name, at in self._outputs.items()})

    @functools.cached_property
    def _wide(self) -> onnxruntime.InferenceSession:
        """With the threads of all lanes; made when first asked for."""
        return self._open(self._threads * self._lanes)

    def _open(self, threads: int) -> onnxruntime.InferenceSession:
        return open_session(self._path, threads)


def open_session(path: str, threads: int) -> onnxruntime.InferenceSession:
    """Loads an ONNX file, to be run on so many threads of the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    # Idle threads that spin between calls would take the CPU from decoding.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
