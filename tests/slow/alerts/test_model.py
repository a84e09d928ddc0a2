"""What the model is shown, what people say of it, and its versions, trainings and rollouts."""

from __future__ import annotations

import asyncio
import io
import time
from datetime import UTC, datetime, timedelta

import httpx
from PIL import Image

from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.system.ports import free_port
from serving.gateway.log.database import Database
from serving.gateway.rollout.store import RolloutStore, stage_of
from tests.slow.alerts.service import PHOTO, Service, slowly
from tests.support.drift import leaf_photos


def test_darker_photos(service: Service) -> None:
    """The model is as sure as before: the drift is harmless."""
    photos = leaf_photos(0, 60, brightness=0.6)
    service.expect({"PhytoflowDrift"}, lambda: service.predict_together(photos))


def test_other_photos_contradictions_an_old_model_and_a_broken_version(service: Service) -> None:
    user, classes = service.gateway.client("ben"), ["healthy", "rust", "scab"]
    buffer = io.BytesIO()
    Image.new("RGB", (200, 200), "blue").save(buffer, "PNG")
    assert service.predict(buffer.getvalue())().json()["known"] is False

    def contradict() -> None:
        answer = service.predict(user="ben")().json()
        wrong = next(name for name in classes if name != answer["prediction"])
        statement = {"prediction_id": answer["id"], "verdict": "label", "label": wrong}
        while user.post("/v1/feedback", json=statement).status_code == 404:
            time.sleep(0.1)

    def load_old_and_broken() -> None:
        url = f"{service.predictor.url}/v2/repository/models/leaf/load"
        for bundle, status in (("old", 200), ("broken", 422)):
            answer = httpx.post(url, json={"parameters": {"bundle": bundle}}, timeout=60)
            assert answer.status_code == status, answer.text

    unknown = slowly(service.predict(buffer.getvalue()))
    names = {"PhytoflowUnknownPhotos", "PhytoflowContradicted"}
    names |= {"PhytoflowModelOld", "PhytoflowVersionRejected"}
    service.expect(names, load_old_and_broken, *[unknown] * 3, *[contradict] * 3)


def test_a_training_that_fails(service: Service) -> None:
    def add_photo() -> None:
        (service.root / "photos-to-watch" / "rust" / "b.jpg").write_bytes(PHOTO)

    service.expect({"PhytoflowRetrainingFailed"}, add_photo)


def test_a_rollout_that_has_waited_for_four_days(service: Service) -> None:
    service.expect({"PhytoflowRolloutStuck"}, lambda: asyncio.run(_start_rollout(service, days=4)))


async def _start_rollout(service: Service, days: int) -> None:
    """Begins a rollout, whose challenger nobody asks, and dates its stage back."""
    database = Database(service.postgres.url)
    store = RolloutStore(database, service.predictor.url)
    challenger = f"http://127.0.0.1:{free_port()}"
    row = await store.start(service.predictor.url, challenger, RolloutSettings(), "anna")
    since = datetime.now(UTC) - timedelta(days=days)
    assert await store.change(row, stage_of(row), "start", "", Evidence(), since)
    await database.close()
