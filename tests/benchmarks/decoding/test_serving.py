"""The memory of a predictor under load, measured on small photos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from benchmarks.decoding import serving
from benchmarks.decoding.photos import small_photos
from phytoflow.deploy.local.publisher import publish, stop
from phytoflow.deploy.settings import ServingSettings
from tests.support.colour_bundle import colour_bundle

__all__ = ["colour_bundle"]


def test_a_predictor_answers_and_its_peak_is_read(colour_bundle: Callable[..., Path], tmp_path: Path) -> None:
    photo = small_photos()["JPEG of 256 pixels, no profile"]
    state = tmp_path / "predictor.json"
    server = publish(colour_bundle(tmp_path / "bundle"), ServingSettings(runtime="onnx"), state, [])
    try:
        serving.forget_peak(server.pid)
        assert serving.send(server, [photo] * 3) == "3 x 200"
        assert serving.resident(server.pid, "VmHWM") >= serving.resident(server.pid, "VmRSS") > 50
    finally:
        stop(state)
