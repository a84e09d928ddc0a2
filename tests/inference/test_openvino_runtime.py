"""OpenVINO computes where its caller stands, one call a lane."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from phytoflow.inference.openvino_runtime import OpenVinoRuntime, _Requests
from phytoflow.models.bundle import Bundle


@pytest.fixture
def path(bundle: Path) -> str:
    return str(Bundle.load(bundle).model_path("onnx"))


@pytest.fixture
def photos(bundle: Path) -> NDArray[np.float32]:
    opened = Bundle.load(bundle)
    return np.stack([opened.manifest.preprocessing(content) for content in opened.probe_contents()])


def test_a_lane_computes_on_its_own_thread(path: str, photos: NDArray[np.float32]) -> None:
    """Which keeps to a CPU; threads of the library's own would meet on one of them."""
    runtime = OpenVinoRuntime(path, threads=1, lanes=2)

    def shares() -> tuple[float, float]:
        runtime.run(photos)  # compiles
        mine, everyones = time.thread_time(), time.process_time()
        for _ in range(20):
            runtime.run(photos)
        return time.thread_time() - mine, time.process_time() - everyones

    with ThreadPoolExecutor(1) as lane:
        mine, everyones = lane.submit(shares).result()
    assert mine > 0.8 * everyones


def test_more_callers_than_models_wait_for_their_turn() -> None:
    made: list[object] = []
    together = threading.Barrier(2)

    class Model:
        def create_infer_request(self) -> object:
            made.append(object())
            return made[-1]

    requests = _Requests(Model, 2)

    def use(_: int) -> object:
        with requests.one() as request:
            together.wait(10)  # two are at work at once, never three: that would break the barrier
            return request

    with ThreadPoolExecutor(6) as callers:
        used = list(callers.map(use, range(6)))
    assert len(made) == 2 and set(map(id, used)) == set(map(id, made))


def test_a_model_that_could_not_be_compiled_is_tried_again() -> None:
    failures = iter([RuntimeError("no memory")])

    class Model:
        def __init__(self) -> None:
            for failure in failures:
                raise failure

        def create_infer_request(self) -> str:
            return "request"

    requests = _Requests(Model, 1)
    with pytest.raises(RuntimeError, match="no memory"), requests.one():
        pass
    with requests.one() as request:
        assert request == "request"
