"""OpenVINO on the CPU, reading the bundle's ONNX file."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from queue import LifoQueue

import numpy as np
import openvino
from numpy.typing import NDArray

from phytoflow.inference.runtimes.base import ANSWERS, CPU, Outputs, Precision, RuntimeName, named

# One for the process, for good: a Core gives the thread that first compiles with it a stack for signals, and
# unmaps it when it goes. With a Core a model, let go on any thread, the next signal found no stack.
_CORE = openvino.Core()
# Its binding finds numpy when it first meets an array; two threads that were the first waited for each other.
openvino.Tensor(np.zeros(1, np.float32))
_MOST_MODELS = 2  # each holds another copy of the weights; above this, all callers share one model
_HINTS: dict[Precision, str] = {"float32": "f32", "bf16": "bf16", "int8": "f32"}  # of what int8 leaves


class OpenVinoRuntime:
    """See ``phytoflow.inference.runtimes.factory.Runtime``.

    With a concurrency of two each caller has a model of its own, compiled on first use: a model with one
    stream and one thread runs on the calling thread. Above two, callers share one model, whose streams have
    threads of their own; the scheduler sometimes puts two of them on one CPU, whatever affinity callers have.

    Precision is always said: left to itself OpenVINO takes bf16 where the CPU has it and moves probabilities
    by up to 0.19. CPUs are not pinned: two processes would share one core.
    """

    name: RuntimeName = "openvino"
    device = CPU

    def __init__(self, path: str, threads: int, concurrency: int, precision: Precision = "float32") -> None:
        compiled = functools.partial(_compiled, path, precision)
        self._narrow = _requests(compiled, threads, concurrency)
        self._wide = _requests(compiled, threads * concurrency, 1) if concurrency > 1 else self._narrow
        with self._narrow.one() as request:  # a file that cannot be loaded is found out now
            self._outputs = named([output.get_any_name() for output in request.model_outputs])

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """Runs the model; waits while ``concurrency`` other calls are running."""
        with (self._wide if exclusive else self._narrow).one() as request:
            request.infer([tensor], share_inputs=True)
            found = {name: request.get_output_tensor(at).data.copy() for name, at in self._outputs.items()}
        return Outputs(**found)


def _requests(compiled: Callable[..., openvino.CompiledModel], threads: int, concurrency: int) -> _Requests:
    """One request a caller, of a model of its own compiled on first use, or of one model shared by all."""
    if concurrency > _MOST_MODELS:
        return _Requests(
            compiled(threads * concurrency, streams=concurrency).create_infer_request, concurrency
        )
    return _Requests(lambda: compiled(threads).create_infer_request(), concurrency)


def _compiled(path: str, precision: Precision, threads: int, streams: int = 1) -> openvino.CompiledModel:
    config = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
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
    """As many as callers were ever there at once: none is thread-safe.

    Args:
        create: Makes one.
        most: How many there may be.
    """

    def __init__(self, create: Callable[[], openvino.InferRequest], most: int) -> None:
        self._create = create
        self._idle: LifoQueue[openvino.InferRequest | None] = LifoQueue()
        for _ in range(most):
            self._idle.put(None)  # not made yet; below those that are

    @contextlib.contextmanager
    def one(self) -> Iterator[openvino.InferRequest]:
        """One that is idle, or a new one; waits where there may be no more."""
        request = self._idle.get()
        try:
            request = request or self._create()
            yield request
        finally:
            self._idle.put(request)
