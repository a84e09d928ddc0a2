"""Drift that is harmful: the estimated accuracy falls. And a drift job that fails."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import text

from phytoflow.inference.classifier import Classifier
from serving.gateway.log.database import Database
from tests.slow.alerts.service import Service, do_nothing
from tests.support.drift import leaf_photos, observe_photos
from tests.support.golden import BUNDLE

_UNSURE = 0.65  # nearly all photos of the reference have a larger probability
_TOGETHER = 60
_SILENT_SECONDS = 100  # of the two minutes that the alert is about; its minute begins after them


def test_photos_on_which_the_model_is_unsure(service: Service) -> None:
    """All come together: an alarm is graded at once if 30 photos follow the change, else a minute later."""
    photos = leaf_photos(100, 400)
    seen = observe_photos(Classifier.load(BUNDLE, "onnx"), photos)
    unsure = [photos[i] for i in ((seen.confidence < _UNSURE) & ~seen.unknown).nonzero()[0]]
    assert len(unsure) >= _TOGETHER

    def send() -> None:
        service.predict_together(unsure[:_TOGETHER])

    service.expect({"PhytoflowDriftHarmful", "PhytoflowAccuracyFell"}, send)


def test_a_drift_job_that_fails(service: Service) -> None:
    """The last case, because its table does not come back."""
    asyncio.run(_drop_states(service))
    time.sleep(_SILENT_SECONDS)
    service.expect({"PhytoflowDriftNotWatched"}, do_nothing)


async def _drop_states(service: Service) -> None:
    database = Database(service.postgres.url)
    async with database.connection() as connection:
        await connection.execute(text("DROP TABLE drift_states"))
    await database.close()
