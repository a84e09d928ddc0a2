"""GET /v1/drift: whether the photos are still those that the model was made for."""

from __future__ import annotations

from fastapi import APIRouter

from serving.gateway.answers.drift import DriftAnswer
from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.problems import ProblemError

router = APIRouter(tags=["drift"])


@router.get("/drift", responses=problems(404))
async def drift(caller: Caller, services: ServicesOf) -> DriftAnswer:
    """The monitor's state for the version that was sent photos last."""
    caller.require("review")
    if not services.settings.watches_drift:
        raise ProblemError(
            404, "no_monitor", "drift is not watched here", remedy="set upstream.champion_bundle"
        )
    from serving.gateway.drift.tables import read_states  # scipy: 40 MB that a gateway without it spares

    row = next(iter(await read_states(services.database)), None)
    if row is None or (found := row.assessment) is None:
        raise ProblemError(404, "no_photos", "no photos were compared yet")
    return DriftAnswer(
        model_version=row.version,
        updated=row.updated,
        photos=row.photos,
        grade=found.grade,
        alarm_at=found.alarm_at,
        wealth=found.wealth,
        unknown_share=found.accuracy.unknown_share,
        reference_accuracy=found.accuracy.reference,
        estimated_accuracy=found.accuracy.thresholded,
    )
