"""GET /v1/classes, /v1/quota, /v1/health, /livez, /readyz and /metrics."""

from __future__ import annotations

import asyncio
import logging
import shutil

import psutil
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.gateway.answers.schemas import Check, ClassesAnswer, HealthAnswer, ModelVersion, QuotaAnswer
from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.metrics import OLDEST_TASK_SECONDS, REGISTRY, TASKS_WAITING
from serving.gateway.services import Services

router = APIRouter(tags=["service"])
probes = APIRouter(include_in_schema=False)
_LEAST_FREE_BYTES = 256 * 2**20  # of the disk with database, journal and photos
_MOST_MEMORY = 0.95
_QUEUE_SECONDS = 2.0  # longest wait for the queue at a scrape
_LOG = logging.getLogger(__name__)


@router.get("/classes", responses=problems(502, 504))
async def classes(caller: Caller, services: ServicesOf) -> ClassesAnswer:
    """The classes of the model that answers."""
    info = await services.fleet.champion.info()
    return ClassesAnswer(classes=list(info.classes), model=ModelVersion(name=info.name, version=info.version))


@router.get("/quota", responses=problems())
async def quota(caller: Caller, services: ServicesOf, response: Response) -> QuotaAnswer:
    """What is left of the caller's limit."""
    left = await services.limiter.quota(caller.user_id)
    response.headers.update(left.headers())
    return QuotaAnswer(limit=left.limit, remaining=left.remaining, reset_seconds=left.reset)


@router.get("/health", responses={503: {"model": HealthAnswer}})
async def health(services: ServicesOf, response: Response) -> HealthAnswer:
    """The state of the service; 503 if it cannot answer. Needs no credentials and names no versions."""
    answer = await check_health(services)
    response.status_code = 503 if answer.status == "down" else 200
    return answer


async def check_health(services: Services) -> HealthAnswer:
    """Asks every part at once."""
    predictor, database, redis = await asyncio.gather(
        services.fleet.champion.ready(), services.database.answers(), services.limiter.ready()
    )
    has_redis = bool(services.settings.redis.url)
    free = shutil.disk_usage(services.settings.directory).free
    memory = psutil.virtual_memory().percent / 100
    checks = {
        "predictor": Check(status=_state(predictor)),
        "database": Check(status=_state(database), detail="" if database else "predictions wait on disk"),
        "redis": Check(
            status=_state(redis) if has_redis else "off",
            detail="" if redis else "each replica limits its own share",
        ),
        "disk": Check(status=_state(free >= _LEAST_FREE_BYTES), detail=f"{free / 2**30:.1f} GiB free"),
        "memory": Check(status=_state(memory <= _MOST_MEMORY), detail=f"{memory:.0%} used"),
    }
    if not predictor or services.draining:
        return HealthAnswer(status="down", checks=checks)
    degraded = any(check.status == "down" for check in checks.values())
    return HealthAnswer(status="degraded" if degraded else "up", checks=checks)


def _state(up: bool) -> str:
    return "up" if up else "down"


@probes.get("/livez")
async def livez() -> Response:
    """Whether the process answers at all."""
    return Response("ok", media_type="text/plain")


@probes.get("/readyz")
async def readyz(services: ServicesOf) -> Response:
    """Whether requests may be sent here: a database or Redis that is away is bridged, a predictor is not."""
    ready = not services.draining and await services.fleet.champion.ready()
    return Response("ok" if ready else "not ready", 200 if ready else 503, media_type="text/plain")


@probes.get("/metrics")
async def metrics(services: ServicesOf) -> Response:
    """Prometheus metrics. The queue is measured here, so that its age is seen when no worker runs."""
    try:
        async with asyncio.timeout(_QUEUE_SECONDS):
            depth = await services.tasks.depth()
        TASKS_WAITING.set(depth.waiting)
        OLDEST_TASK_SECONDS.set(depth.oldest_seconds)
    except Exception as error:  # the other metrics say why the queue is away
        _LOG.warning("the task queue cannot be measured: %s: %s", type(error).__name__, error)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
