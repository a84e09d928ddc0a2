"""What the gateway depends on goes away, one after the other, and at last the gateway itself."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.slow.alerts.service import PHOTO, Service, slowly
from tests.support.drift import leaf_photos


def test_no_worker(service: Service) -> None:
    """The first case, because a burn rate is about everything since the start."""
    client = service.gateway.client()
    names = {"PhytoflowTasksWait", "PhytoflowGatewayRefusing"}
    names |= {"PhytoflowAvailabilityBurnsFast", "PhytoflowAvailabilityBurnsSlowly"}

    def send_task() -> None:
        client.post("/v1/predict_async", files={"file": ("leaf.jpg", PHOTO)})

    service.expect(names, service.worker.kill, send_task)


def test_a_photo_store_that_cannot_be_written(service: Service) -> None:
    """A file stands where the first photo would make the folder."""

    def block_store() -> None:
        (service.gateway.directory / "photos").write_text("no folder")

    noise = np.random.default_rng()

    def predict() -> None:
        pixels = noise.integers(0, 256, (64, 64, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "PNG")
        service.predict(buffer.getvalue())()

    service.expect({"PhytoflowPhotosNotStored"}, block_store, predict)


def test_no_redis(service: Service) -> None:
    service.expect({"PhytoflowLimiterDegraded"}, service.redis.kill, slowly(service.predict()))
    service.redis.start()


def test_no_database(service: Service) -> None:
    """Predictions wait on disk until the journal, which is small here, is full."""
    photos, names = leaf_photos(0, 50), {"PhytoflowDatabaseAway", "PhytoflowPredictionsLost"}
    service.expect(names, service.postgres.kill, lambda: service.predict_together(photos))


def test_no_predictor(service: Service) -> None:
    names = {"PhytoflowPredictorUnreachable", "PhytoflowNoReadyReplica"}
    service.expect(names, service.predictor.process.kill, service.predict())


def test_no_gateway(service: Service) -> None:
    service.expect({"PhytoflowGatewayDown"}, service.gateway.kill)
