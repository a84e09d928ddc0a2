"""OpenVINO on the CPU, reading the bundle's ONNX file."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from queue import LifoQueue

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

    Each lane has a model of its own, compiled when first needed: one of a single stream and thread runs on
    the caller's thread. The streams of one model have threads of their own, which the scheduler puts on one
    CPU now and then, whatever CPUs the callers keep to.

    Precision is always said: left to itself OpenVINO takes bf16 where the CPU has it and moves probabilities
    by up to 0.19. CPUs are not pinned: two processes would share one core.
    """

    name: RuntimeName = "openvino"
    device = CPU

    def __init__(self, path: str, threads: int, lanes: int, precision: Precision = "float32") -> None:
        self._lanes = lanes
        self._all_threads = functools.partial(_compiled, path, precision, threads * lanes)
        self._narrow = _Requests(functools.partial(_compiled, path, precision, threads), lanes)
        with self._narrow.one() as request:  # a file that cannot be loaded is found out now
            self._outputs = named([output.get_any_name() for output in request.model_outputs])

    def run(self, tensor: NDArray[np.float32], *, alone: bool = False) -> Outputs:
        """Runs the model; waits for its turn where more call at once than there are lanes."""
        requests = self._wide if alone and self._lanes > 1 else self._narrow
        with requests.one() as request:
            request.infer([tensor], share_inputs=True)
            found = {name: request.get_output_tensor(at).data.copy() for name, at in self._outputs.items()}
        return Outputs(**found)

    @functools.cached_property
    def _wide(self) -> _Requests:
        """With the threads of all lanes; made when first asked for."""
        return _Requests(self._all_threads, 1)


def _compiled(path: str, precision: Precision, threads: int) -> openvino.CompiledModel:
    config = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,
    }
    return _CORE.compile_model(_read(path, precision), "CPU", config)


def _read(path: str, precision: Precision) -> openvino.Model:
    """The file; in bf16 without what follows from logits and features: eight bits tell no distances."""
    model = _CORE.read_model(path)
    if precision == "bf16":
        for output in [output for output in model.outputs if output.get_any_name() in ANSWERS]:
            model.remove_result(output.node)
    return model


class _Requests:
    """A few models' requests, one each: neither is thread-safe.

    Args:
        compiled: Makes a model.
        most: How many there may be.
    """

    def __init__(self, compiled: Callable[[], openvino.CompiledModel], most: int) -> None:
        self._compiled = compiled
        self._idle: LifoQueue[openvino.InferRequest | None] = LifoQueue()
        for _ in range(most):
            self._idle.put(None)  # not made yet; below those that are

    @contextlib.contextmanager
    def one(self) -> Iterator[openvino.InferRequest]:
        """One that is idle, or a new one; waits where there may be no more."""
        request = self._idle.get()
        try:
            request = request or self._compiled().create_infer_request()
            yield request
        finally:
            self._idle.put(request)
