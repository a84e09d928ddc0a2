"""OpenVINO on the CPU, reading the bundle's ONNX file."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from queue import Empty, SimpleQueue

import numpy as np
import openvino
from numpy.typing import NDArray

from phytoflow.inference.runtime import ANSWERS, CPU, Outputs, Precision, RuntimeName, named

# One for the process, for good: a Core gives the thread that first compiles with it a stack for signals, and
# unmaps it when it goes. With a Core a model, let go on any thread, the next signal found no stack.
_CORE = openvino.Core()
_HINTS: dict[Precision, str] = {"float32": "f32", "bf16": "bf16", "int8": "f32"}  # of what int8 leaves


class OpenVinoRuntime:
    """See ``phytoflow.inference.runtime.Runtime``.

    Precision is always said: left to itself OpenVINO takes bf16 where the CPU has it and moves probabilities
    by up to 0.19. CPUs are not pinned: two processes would share one core.
    """

    name: RuntimeName = "openvino"
    device = CPU

    def __init__(self, path: str, threads: int, lanes: int, precision: Precision = "float32") -> None:
        self._path, self._threads, self._lanes, self._precision = path, threads, lanes, precision
        self._narrow = self._compile(streams=lanes)
        self._outputs = named([output.get_any_name() for output in self._narrow.outputs])
        self._requests = _Requests(self._narrow)

    def run(self, tensor: NDArray[np.float32], *, alone: bool = False) -> Outputs:
        """Runs the model."""
        requests = self._wide if alone and self._lanes > 1 else self._requests
        with requests.one() as request:
            request.infer([tensor], share_inputs=True)
            found = {name: request.get_output_tensor(at).data.copy() for name, at in self._outputs.items()}
        return Outputs(**found)

    @functools.cached_property
    def _wide(self) -> _Requests:
        """One stream with the threads of all lanes; made when first asked for."""
        return _Requests(self._compile(streams=1))

    def _compile(self, streams: int) -> openvino.CompiledModel:
        config = {
            "INFERENCE_PRECISION_HINT": _HINTS[self._precision],
            "INFERENCE_NUM_THREADS": self._threads * self._lanes,
            "NUM_STREAMS": streams,
            "ENABLE_CPU_PINNING": False,
        }
        return _CORE.compile_model(_read(self._path, self._precision), "CPU", config)


def _read(path: str, precision: Precision) -> openvino.Model:
    """The file; in bf16 without what follows from logits and features: eight bits tell no distances."""
    model = _CORE.read_model(path)
    if precision == "bf16":
        for output in [output for output in model.outputs if output.get_any_name() in ANSWERS]:
            model.remove_result(output.node)
    return model


class _Requests:
    """A compiled model's requests, as many as callers were ever there at once: none is thread-safe."""

    def __init__(self, model: openvino.CompiledModel) -> None:
        self._model = model
        self._idle: SimpleQueue[openvino.InferRequest] = SimpleQueue()

    @contextlib.contextmanager
    def one(self) -> Iterator[openvino.InferRequest]:
        """An idle request, or a new one."""
        try:
            request = self._idle.get_nowait()
        except Empty:
            request = self._model.create_infer_request()
        try:
            yield request
        finally:
            self._idle.put(request)
