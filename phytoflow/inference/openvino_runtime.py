"""OpenVINO on the CPU, reading the bundle's ONNX file."""

from __future__ import annotations

import functools
import threading

import numpy as np
import openvino
from numpy.typing import NDArray

from phytoflow.inference.runtime import Outputs, Precision, RuntimeName, named

_HINTS: dict[Precision, str] = {"float32": "f32", "bf16": "bf16", "int8": "f32"}  # of what int8 leaves


class OpenVinoRuntime:
    """See ``phytoflow.inference.runtime.Runtime``.

    Precision is always said: left to itself OpenVINO takes bf16 where the CPU has it and moves probabilities
    by up to 0.19. CPUs are not pinned: two processes would share one core.
    """

    name: RuntimeName = "openvino"

    def __init__(self, path: str, threads: int, lanes: int, precision: Precision = "float32") -> None:
        self._path, self._threads, self._lanes = path, threads, lanes
        self._hint = _HINTS[precision]
        self._narrow = self._compile(streams=lanes)
        self._outputs = named([output.get_any_name() for output in self._narrow.outputs])
        self._requests = threading.local()

    def run(self, tensor: NDArray[np.float32], *, alone: bool = False) -> Outputs:
        """Runs the model."""
        request = self._request(wide=alone and self._lanes > 1)
        request.infer([tensor], share_inputs=True)
        found = {name: request.get_output_tensor(at).data.copy() for name, at in self._outputs.items()}
        return Outputs(**found)

    def _request(self, *, wide: bool) -> openvino.InferRequest:
        """The calling thread's own: requests are not thread-safe."""
        name = "wide" if wide else "narrow"
        if not hasattr(self._requests, name):
            model = self._wide if wide else self._narrow
            setattr(self._requests, name, model.create_infer_request())
        return getattr(self._requests, name)

    @functools.cached_property
    def _wide(self) -> openvino.CompiledModel:
        """One stream with the threads of all lanes; made when first asked for."""
        return self._compile(streams=1)

    def _compile(self, streams: int) -> openvino.CompiledModel:
        config = {
            "INFERENCE_PRECISION_HINT": self._hint,
            "INFERENCE_NUM_THREADS": self._threads * self._lanes,
            "NUM_STREAMS": streams,
            "ENABLE_CPU_PINNING": False,
        }
        return openvino.Core().compile_model(self._path, "CPU", config)
