"""ONNX Runtime on the CPU."""

from __future__ import annotations

import functools

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from phytoflow.inference.runtimes.base import CPU, Outputs, Precision, RuntimeName, output_positions

_ERRORS_ONLY = 3  # severity level of its log
_BLOCKS = "4"  # splits work so that other threads take over from a delayed one (ONNX Runtime's advice)


class OnnxRuntime:
    """See ``phytoflow.inference.runtimes.base.Runtime``.

    With one thread a call runs on the calling thread, so concurrent calls need nothing else.
    """

    name: RuntimeName = "onnx"
    device = CPU

    def __init__(self, path: str, threads: int, concurrency: int, precision: Precision = "float32") -> None:
        self._path, self._threads, self._concurrency = path, threads, concurrency
        self._narrow = open_session(path, threads)
        self._input = self._narrow.get_inputs()[0].name
        self._outputs = output_positions([output.name for output in self._narrow.get_outputs()])

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """Runs the model."""
        session = self._wide if exclusive and self._concurrency > 1 else self._narrow
        outputs = session.run(None, {self._input: tensor})
        return Outputs(**{name: outputs[at] for name, at in self._outputs.items()})

    @functools.cached_property
    def _wide(self) -> onnxruntime.InferenceSession:
        """Session with the threads of all callers together; created on first use."""
        return open_session(self._path, self._threads * self._concurrency, spin=True)


def open_session(model: str | bytes, threads: int, *, spin: bool = False) -> onnxruntime.InferenceSession:
    """Loads an ONNX model.

    Args:
        model: Path of a file, or its content.
        threads: CPU threads of one call.
        spin: Whether threads spin while they wait for each other within a call: faster for a call that has
            the CPUs to itself. Between calls they sleep in any case: spinning would take the CPU from
            decoding.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if spin else "0")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.dynamic_block_base", _BLOCKS)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
