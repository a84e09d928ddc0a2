"""OpenVINO computes on the calling thread, concurrent calls apart, and leaves the process as it was."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
from numpy.typing import NDArray

from phytoflow.bundle.bundle import Bundle
from phytoflow.inference.runtimes import openvino as openvino_runtime
from phytoflow.inference.runtimes.openvino import OpenVinoRuntime, _compile, _RequestPool


@pytest.fixture
def path(bundle: Path) -> str:
    return str(Bundle.load(bundle).model_path("onnx"))


@pytest.fixture
def photos(bundle: Path) -> NDArray[np.float32]:
    opened = Bundle.load(bundle)
    return np.stack([opened.manifest.preprocessing(content) for content in opened.probe_contents()])


def test_a_call_computes_on_the_calling_thread(path: str, photos: NDArray[np.float32]) -> None:
    """Which is pinned to a CPU; the library's own threads would share one."""
    runtime = OpenVinoRuntime(path, threads=1, concurrency=2)

    def shares() -> tuple[float, float]:
        runtime.run(photos)  # compiles
        mine, everyones = time.thread_time(), time.process_time()
        for _ in range(20):
            runtime.run(photos)
        return time.thread_time() - mine, time.process_time() - everyones

    with ThreadPoolExecutor(1) as caller:
        mine, everyones = caller.submit(shares).result()
    assert mine > 0.8 * everyones


def test_its_memory_is_freed_with_its_last_user(path: str, photos: NDArray[np.float32]) -> None:
    """Not at the next garbage collection: versions are swapped under load."""
    runtime = OpenVinoRuntime(path, threads=1, concurrency=2)
    runtime.run(photos, exclusive=True)
    left = weakref.ref(runtime)
    gc.disable()
    try:
        del runtime
        assert left() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(("concurrency", "models"), [(1, [1]), (2, [1, 1]), (3, [3])])
def test_two_callers_have_models_of_their_own_and_more_share_one(
    path: str,
    photos: NDArray[np.float32],
    concurrency: int,
    models: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each model holds a copy of the weights, too much memory for many callers."""
    streams = []

    def record(*args: Any, **options: Any) -> openvino.CompiledModel:
        streams.append(options.get("streams", 1))
        return _compile(*args, **options)

    monkeypatch.setattr(openvino_runtime, "_compile", record)
    runtime, together = (
        OpenVinoRuntime(path, threads=1, concurrency=concurrency),
        threading.Barrier(concurrency),
    )

    def run(_: int) -> None:
        together.wait(10)
        with runtime._narrow.borrow():
            together.wait(10)  # every caller holds a request
        runtime.run(photos)

    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(run, range(concurrency)))
    assert streams == models


def test_more_callers_than_requests_wait_for_their_turn() -> None:
    made: list[object] = []
    together = threading.Barrier(2)

    def create() -> Any:
        made.append(object())
        return made[-1]

    requests = _RequestPool(create, 2)

    def use(_: int) -> object:
        with requests.borrow() as request:
            together.wait(10)  # two are at work at once, never three: that would break the barrier
            return request

    with ThreadPoolExecutor(6) as callers:
        used = list(callers.map(use, range(6)))
    assert len(made) == 2 and set(map(id, used)) == set(map(id, made))


def test_a_request_that_could_not_be_made_is_tried_again() -> None:
    failures = iter([RuntimeError("no memory")])

    def create() -> Any:
        for failure in failures:
            raise failure
        return "request"

    requests = _RequestPool(create, 1)
    with pytest.raises(RuntimeError, match="no memory"), requests.borrow():
        pass
    with requests.borrow() as request:
        assert str(request) == "request"


_SWAPPED = """
import signal, sys, threading
from phytoflow.inference.runtimes.openvino import OpenVinoRuntime

signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
versions = [OpenVinoRuntime(sys.argv[1], threads=1, concurrency=2) for _ in range(2)]
versions.pop(0)
swapping = threading.Thread(target=versions.clear)
swapping.start()
swapping.join()
signal.raise_signal(signal.SIGTERM)
"""


def test_a_signal_is_handled_after_models_have_gone(path: str) -> None:
    """OpenVINO's signal stack was freed with them, and the next SIGTERM crashed the process."""
    ended = subprocess.run([sys.executable, "-c", _SWAPPED, path], timeout=120)
    assert ended.returncode == 7  # -11 is a segmentation fault
