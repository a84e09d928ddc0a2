"""/v1/rollouts: replace the champion by a challenger, step by step."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, BeforeValidator, Field

from phytoflow.rollout.decide import decide
from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import Stage
from serving.gateway.answers.rollouts import Question, ReplayedDecision, RolloutAnswer, event_answer
from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.log.tables import Rollout
from serving.gateway.problems import ProblemError
from serving.gateway.rollout.store import settings_of, stage_of
from serving.gateway.services import Services

router = APIRouter(prefix="/rollouts", tags=["rollouts"])


def _read_strictly(value: Any) -> Any:
    """A text is no number here, as the document of the API says."""
    if not isinstance(value, dict):
        return value
    return RolloutSettings.model_validate_json(orjson.dumps(value), strict=True)


class StartRequest(BaseModel, extra="forbid"):
    """A rollout to begin."""

    challenger: str = Field(
        pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$",
        max_length=500,
        description="URL of a predictor, as in upstream.champion.",
    )
    settings: Annotated[RolloutSettings | None, BeforeValidator(_read_strictly)] = Field(
        None, description="Thresholds; those of the gateway if missing."
    )


@router.post("", status_code=201, responses=problems(409))
async def start(body: StartRequest, caller: Caller, services: ServicesOf) -> RolloutAnswer:
    """Begins to compare a challenger with the champion."""
    caller.require("admin")
    chosen = body.settings or services.settings.rollout
    return await _answer(services, await services.rollouts.start(body.challenger, chosen, caller.name))


@router.get("/current", responses=problems(404))
async def current(caller: Caller, services: ServicesOf) -> RolloutAnswer:
    """The newest rollout with its evidence."""
    caller.require("review")
    return await describe(services)


@router.post("/current/promote", responses=problems(404, 409))
async def promote(caller: Caller, services: ServicesOf) -> RolloutAnswer:
    """Goes to the next stage without waiting for evidence; who did so is recorded."""
    caller.require("admin")
    await services.rollouts.promote(caller.name)
    return await describe(services)


@router.post("/current/abort", responses=problems(404, 409))
async def abort(caller: Caller, services: ServicesOf) -> RolloutAnswer:
    """Gives all users back to the champion; all replicas follow within two seconds."""
    caller.require("admin")
    await services.rollouts.abort(caller.name)
    return await describe(services)


@router.post("/current/settle", responses=problems(404, 409, 502, 504))
async def settle(caller: Caller, services: ServicesOf) -> RolloutAnswer:
    """After promotion: requests go to the champion of the settings again, which has the new model by now."""
    caller.require("admin")
    await services.rollouts.settle(caller.name)
    return await describe(services)


@router.get("/current/questions", responses=problems(404))
async def questions(
    caller: Caller, services: ServicesOf, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[Question]:
    """Photos on which the models disagree and that need a reviewer's label: answer with POST /v1/feedback."""
    caller.require("review")
    await services.log.flush()
    rows = await services.rollouts.store.questions(await _newest(services), caller.user_id, limit)
    return [Question(prediction_id=row.id, labels=sorted({ours, theirs})) for row, ours, theirs in rows]


@router.get("/current/replay", responses=problems(404))
async def replay(caller: Caller, services: ServicesOf) -> list[ReplayedDecision]:
    """Recomputes each decision of the gateway from the log."""
    caller.require("review")
    row = await _newest(services)
    decisions, after = [], 0
    for event in await services.rollouts.store.events(row.id):
        if event.action in ("advance", "stop"):
            evidence = await services.rollouts.store.evidence(row, event.created, event, after)
            stage = Stage(event.stage, event.percent)  # type: ignore[arg-type]
            again = decide(stage, evidence, settings_of(row))
            recorded, recomputed = f"{event.action}: {event.reason}", f"{again.action}: {again.reason}"
            decisions.append(
                ReplayedDecision(
                    created=event.created,
                    stage=event.stage,
                    percent=event.percent,
                    recorded=recorded,
                    recomputed=recomputed,
                    same=recorded == recomputed,
                )
            )
        after = event.evidence["last"]
    return decisions


async def describe(services: Services) -> RolloutAnswer:
    """The newest rollout; raises ProblemError 404 if there was none."""
    return await _answer(services, await _newest(services))


async def _newest(services: Services) -> Rollout:
    if (row := await services.rollouts.store.newest()) is None:
        raise ProblemError(404, "no_rollout", "there was no rollout yet")
    return row


async def _answer(services: Services, row: Rollout) -> RolloutAnswer:
    store = services.rollouts.store
    events = await store.events(row.id)
    if stage_of(row).is_active:
        decision, evidence, _ = await services.rollouts.assess(row)
        counts, following = evidence.to_dict(), f"{decision.action}: {decision.reason}"
    else:
        counts, following = events[-1].evidence, f"nothing: {row.reason}"
    return RolloutAnswer(
        id=row.id,
        created=row.created,
        champion=row.champion_url,
        challenger=row.challenger_url,
        stage=stage_of(row).name,
        percent=row.percent,
        stage_since=row.stage_since,
        next=following,
        evidence=counts,
        settings=settings_of(row),
        events=[event_answer(event) for event in events],
    )
