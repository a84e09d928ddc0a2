"""The gateway's own connection to a predictor."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from serving.gateway.problems import ProblemError
from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream.predictor import Predictor
from tests.support.golden import BUNDLE
from tests.support.services.servers import Server, running


async def test_features_come_as_binary_with_json(predictor: Server, photo: bytes) -> None:
    connection = Predictor(predictor.url, UpstreamSettings())
    await connection.open()
    result, info = await connection.infer([photo, photo], {"top_k": 3}, "r")
    await connection.close()
    assert "features" in info.outputs
    shape = next(o for o in httpx.get(predictor.model).json()["outputs"] if o["name"] == "features")["shape"]
    assert [one.features is not None and one.features.shape for one in result.photos] == [(shape[1],)] * 2


async def test_a_model_of_another_name(predictor: Server, photo: bytes) -> None:
    """A challenger on KServe is named as its InferenceService; users read the name of the settings."""
    settings = UpstreamSettings(model="maple")
    for url, is_there in ((predictor.url, False), (predictor.model, True), (f"{predictor.model}/", True)):
        connection = Predictor(url, settings)
        await connection.open()
        assert await connection.ready() is is_there
        if is_there:
            result, info = await connection.infer([photo], {"top_k": 3}, "r")
            assert info.name == "maple" and result.photos[0].labels
        await connection.close()


async def test_without_features(predictor: Server, photo: bytes) -> None:
    connection = Predictor(predictor.url, UpstreamSettings(), features=False)
    await connection.open()
    result, _ = await connection.infer([photo], {"top_k": 3}, "r")
    await connection.close()
    assert result.photos[0].features is None and result.photos[0].labels


async def test_a_busy_predictors_retry_after_reaches_the_caller(tmp_path: Path, photo: bytes) -> None:
    with running(BUNDLE, tmp_path / "log", inference_threads=1, max_queue_size=0) as busy:
        connection = Predictor(busy.url, UpstreamSettings())
        await connection.open()
        with pytest.raises(ProblemError) as caught:
            await connection.infer([photo], {"top_k": 3}, "r")
        await connection.close()
        direct = httpx.post(f"{busy.model}/infer", json={})
    assert caught.value.status == 503
    assert caught.value.headers["Retry-After"] == direct.headers["retry-after"]
