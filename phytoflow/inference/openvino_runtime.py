"""OpenVINO on the CPU, reading the bundle's ONNX file."""

from __future__ import annotations

import threading

import numpy as np
import openvino
from numpy.typing import NDArray

from phytoflow.inference.runtime import Outputs, RuntimeName, named


class OpenVinoRuntime:
    """See ``phytoflow.inference.runtime.Runtime``.

    Precision is fixed to float32: left to itself OpenVINO takes bf16 where the CPU has it and moves
    probabilities by up to 0.19. CPUs are not pinned: two processes would share one core.
    """

    name: RuntimeName = "openvino"

    def __init__(self, path: str, threads: int, lanes: int) -> None:
        config = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads * lanes,
            "NUM_STREAMS": lanes,
            "ENABLE_CPU_PINNING": False,
        }
        self._model = openvino.Core().compile_model(path, "CPU", config)
        self._outputs = named([output.get_any_name() for output in self._model.outputs])
        self._requests = threading.local()

    def run(self, tensor: NDArray[np.float32]) -> Outputs:
        """Runs the model; each calling thread has its own request, which is not thread-safe."""
        if not hasattr(self._requests, "own"):
            self._requests.own = self._model.create_infer_request()
        request = self._requests.own
        request.infer([tensor], share_inputs=True)
        found = {name: request.get_output_tensor(at).data.copy() for name, at in self._outputs.items()}
        return Outputs(**found)
