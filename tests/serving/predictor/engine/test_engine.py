"""One version: predictions, their order, faults of photos, and draining."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from phytoflow.inference.classifier import Classifier
from serving.predictor.engine.engine import Engine
from serving.predictor.errors import RequestError
from serving.predictor.observability.metrics import PREDICTIONS
from serving.predictor.options import Options
from tests.support import golden

PHOTOS = [path.read_bytes() for path in sorted(golden.PHOTOS.rglob("*.*"))][:5]


@pytest.fixture
def own() -> Engine:
    """An engine that its test may drain."""
    options = Options(str(golden.BUNDLE), inference_threads=2, max_batch_size=2, max_queue_size=16)
    return Engine(Classifier.load(golden.BUNDLE, "onnx", 1), options)


async def test_predictions_are_the_offline_ones_in_the_order_of_the_photos(own: Engine) -> None:
    predictions, milliseconds = await own.predict(PHOTOS)
    expected = Classifier.load(golden.BUNDLE, "onnx", 1).predict(PHOTOS).probabilities
    np.testing.assert_allclose(predictions.probabilities, expected, atol=1e-6)
    assert len(milliseconds) == len(PHOTOS) and all(value > 0 for value in milliseconds)
    await own.drain()


async def test_a_prediction_is_counted_by_its_class(own: Engine) -> None:
    counts = {name: PREDICTIONS.labels(name)._value.get() for name in own.classifier.classes}
    predictions, _ = await own.predict(PHOTOS)
    for index in predictions.probabilities.argmax(axis=1).tolist():
        counts[own.classifier.classes[index]] += 1
    assert counts == {name: PREDICTIONS.labels(name)._value.get() for name in own.classifier.classes}
    await own.drain()


async def test_one_error_names_each_photo_that_cannot_be_used(own: Engine) -> None:
    with pytest.raises(RequestError) as refused:
        await own.predict([PHOTOS[0], b"no photo", PHOTOS[1], b""])
    assert refused.value.status == 422
    assert "photo 1: " in refused.value.message and "photo 3: " in refused.value.message
    assert "photo 0" not in refused.value.message
    await own.drain()


async def test_only_photos_beyond_a_limit_are_too_large() -> None:
    options = Options(str(golden.BUNDLE), inference_threads=1, max_batch_size=1, max_pixels=4)
    small = Engine(Classifier.load(golden.BUNDLE, "onnx", 1), options)
    with pytest.raises(RequestError) as refused:
        await small.predict(PHOTOS[:1])
    assert (refused.value.status, refused.value.reason) == (413, "too_many_pixels")
    with pytest.raises(RequestError) as refused:
        await small.predict([PHOTOS[0], b"no photo"])
    assert refused.value.status == 422
    await small.drain()


async def test_draining_waits_for_the_last_user_and_ends_the_workers(own: Engine) -> None:
    with own:
        draining = asyncio.create_task(own.drain())
        await own.predict(PHOTOS[:1])
        assert not draining.done() and own.alive
    await draining
    assert not own.alive


async def test_views_of_a_photo_count_as_one_prediction(own: Engine) -> None:
    predictions, milliseconds = await own.predict(PHOTOS[:2], "flips")
    assert len(predictions.probabilities) == len(milliseconds) == 2
    await own.drain()
