"""OpenVINO on the CPU, reading the bundle's ONNX file."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from queue import LifoQueue

import numpy as np
import openvino
from numpy.typing import NDArray

from phytoflow.inference.runtimes.base import (
    CPU,
    DERIVED_OUTPUTS,
    Outputs,
    Precision,
    RuntimeName,
    output_positions,
)

# One Core for the whole process, never freed. A Core installs a signal stack on the thread that first
# compiles with it and unmaps it when it is freed: with one Core for each model the next signal crashed the
# process.
_CORE = openvino.Core()
# The binding imports numpy with its first array; two threads that did so at once deadlocked.
openvino.Tensor(np.zeros(1, np.float32))
_MOST_MODELS = 2  # each holds another copy of the weights; above this, all callers share one model
_HINTS: dict[Precision, str] = {"float32": "f32", "bf16": "bf16", "int8": "f32"}  # int8: of its float layers


class OpenVinoRuntime:
    """See ``phytoflow.inference.runtimes.base.Runtime``.

    With a concurrency of two each caller has a model of its own, compiled on first use: a model with one
    stream and one thread runs on the calling thread. Above two, callers share one model, whose streams have
    threads of their own; the scheduler sometimes puts two of them on one CPU, whatever affinity callers have.

    The precision is always set: by default OpenVINO uses bf16 on CPUs that have it, which changes
    probabilities by up to 0.19. Threads are not pinned: two processes would share one core.
    """

    name: RuntimeName = "openvino"
    device = CPU

    def __init__(self, path: str, threads: int, concurrency: int, precision: Precision = "float32") -> None:
        compile_model = functools.partial(_compile, path, precision)
        self._narrow = _create_requests(compile_model, threads, concurrency)
        self._wide = self._narrow
        if concurrency > 1:
            self._wide = _create_requests(compile_model, threads * concurrency, 1)
        with self._narrow.borrow() as request:  # a file that cannot be loaded fails here
            self._outputs = output_positions([output.get_any_name() for output in request.model_outputs])

    def run(self, tensor: NDArray[np.float32], *, exclusive: bool = False) -> Outputs:
        """Runs the model; waits while ``concurrency`` other calls are running."""
        with (self._wide if exclusive else self._narrow).borrow() as request:
            request.infer([tensor], share_inputs=True)
            outputs = {n: request.get_output_tensor(at).data.copy() for n, at in self._outputs.items()}
        return Outputs(**outputs)


def _create_requests(
    compile_model: Callable[..., openvino.CompiledModel], threads: int, concurrency: int
) -> _RequestPool:
    """One request for each caller, of a model of its own compiled on first use, or of one shared model."""
    if concurrency > _MOST_MODELS:
        shared = compile_model(threads * concurrency, streams=concurrency)
        return _RequestPool(shared.create_infer_request, concurrency)
    return _RequestPool(lambda: compile_model(threads).create_infer_request(), concurrency)


def _compile(path: str, precision: Precision, threads: int, streams: int = 1) -> openvino.CompiledModel:
    config = {
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "ENABLE_CPU_PINNING": False,
    }
    return _CORE.compile_model(_read(path, precision), "CPU", config)


def _read(path: str, precision: Precision) -> openvino.Model:
    """Reads the file; in bf16 without the post-processing, whose distances need more than eight bits."""
    model = _CORE.read_model(path)
    if precision == "bf16":
        for output in [output for output in model.outputs if output.get_any_name() in DERIVED_OUTPUTS]:
            model.remove_result(output.node)
    return model


class _RequestPool:
    """Inference requests, one for each concurrent caller: a request is not thread-safe.

    Args:
        create: Creates a request.
        most: Maximum number of requests.
    """

    def __init__(self, create: Callable[[], openvino.InferRequest], most: int) -> None:
        self._create = create
        self._idle: LifoQueue[openvino.InferRequest | None] = LifoQueue()
        for _ in range(most):
            self._idle.put(None)  # not created yet; the queue is LIFO, so existing requests are reused first

    @contextlib.contextmanager
    def borrow(self) -> Iterator[openvino.InferRequest]:
        """An idle request or a new one; waits if the maximum is in use."""
        request = self._idle.get()
        try:
            request = request or self._create()
            yield request
        finally:
            self._idle.put(request)
