"""ONNX Runtime on the CPU."""

from __future__ import annotations

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from phytoflow.inference.runtime import Outputs, RuntimeName, named

_ERRORS_ONLY = 3


class OnnxRuntime:
    """See ``phytoflow.inference.runtime.Runtime``.

    With one thread a call runs on the caller's own thread, so lanes need nothing but their threads.
    """

    name: RuntimeName = "onnx"

    def __init__(self, path: str, threads: int, lanes: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Idle threads that spin between calls would take the CPU from decoding.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._outputs = named([output.name for output in self._session.get_outputs()])

    def run(self, tensor: NDArray[np.float32]) -> Outputs:
        """Runs the model."""
        found = self._session.run(None, {self._input: tensor})
        return Outputs(**{name: found[at] for name, at in self._outputs.items()})
