"""The work of a worker: photos are prepared together and run in batches."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.data.images.limits import Limits
from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions
from serving.predictor.batching.jobs import PhotoResult
from serving.predictor.engine.batch_runner import BatchRunner
from serving.predictor.inputs.types import RequestLimits
from serving.predictor.observability.metrics import BATCH_SIZE


def batches() -> tuple[float, float]:
    """How many batches were counted so far, and photos in them."""
    found = {sample.name: sample.value for metric in BATCH_SIZE.collect() for sample in metric.samples}
    return found["prediction_batch_size_count"], found["prediction_batch_size_sum"]


def test_photos_are_run_in_batches_and_keep_their_order(
    offline: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    run = offline.run

    def noted(tensors: np.ndarray, *, exclusive: bool = False) -> Predictions:
        sizes.append(len(tensors))
        return run(tensors, exclusive=exclusive)

    monkeypatch.setattr(offline, "run", noted)
    manifest, contents = offline.bundle.manifest, offline.bundle.probe_contents()
    photos = [contents[i % len(contents)] for i in range(4)]
    asked = [*photos[:2], b"no photo", *photos[2:], photos[0]]
    worker = BatchRunner(offline, RequestLimits(16, Limits(), manifest.preprocessing.size), 2)
    before = batches()
    outcomes = worker.run(worker.prepare(asked), exclusive=False)
    assert sizes == [2, 2, 1]
    assert np.subtract(batches(), before).tolist() == [3, 5]
    assert isinstance(outcomes.pop(2), PhotoError)
    expected = offline.predict([*photos, photos[0]]).probabilities
    for row, right in zip(outcomes, expected, strict=True):
        assert isinstance(row, PhotoResult)
        np.testing.assert_allclose(row.batch.probabilities[row.row], right, atol=1e-5)


def test_nothing_is_run_where_no_photo_can_be_used(offline: Classifier) -> None:
    worker = BatchRunner(offline, RequestLimits(16, Limits(), offline.bundle.manifest.preprocessing.size), 2)
    before = batches()
    outcomes = worker.run(worker.prepare([b"no photo", b""]), exclusive=True)
    assert [type(outcome) for outcome in outcomes] == [PhotoError, PhotoError]
    assert batches() == before
