"""GET /v1/analytics/*: trends as JSON or CSV."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BeforeValidator

from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.auth.principal import Principal
from serving.gateway.log import analytics
from serving.gateway.log.statistics import MOST_HOURLY_DAYS
from serving.gateway.log.text import PrintableText
from serving.gateway.problems import ProblemError

router = APIRouter(prefix="/analytics", tags=["analytics"])
_MOST_DAYS = {"hour": MOST_HOURLY_DAYS, "day": 3660}
_CONTENT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/json": {}, "text/csv": {}}}}


def _no_number(value: object) -> object:
    """A bare number would be taken for seconds, which the OpenAPI document does not say."""
    if isinstance(value, str) and value.replace(".", "", 1).lstrip("+-").isdigit():
        raise ValueError("write a date and time as 2026-05-31T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_no_number)]


class Question:
    """The parameters that all trends share."""

    def __init__(
        self,
        since: Annotated[Moment | None, Query(description="Default: 30 days ago.")] = None,
        until: Annotated[Moment | None, Query(description="Default: now.")] = None,
        period: Annotated[
            Literal["hour", "day"],
            Query(description="Hours older than a month are summed up by day."),
        ] = "day",
        version: Annotated[PrintableText | None, Query(max_length=64)] = None,
        format: Literal["json", "csv"] = "json",
    ) -> None:
        self.until = _utc(until) if until else datetime.now(UTC) + timedelta(hours=1)
        self.since = _utc(since) if since else self.until - timedelta(days=30)
        self.period, self.version, self.format = period, version, format
        if not timedelta(0) < self.until - self.since <= timedelta(days=_MOST_DAYS[period]):
            most = _MOST_DAYS[period]
            raise ProblemError(400, "bad_range", f"since must be before until, by at most {most} days")

    @property
    def range(self) -> analytics.Range:
        """What is counted."""
        return analytics.Range(self.since, self.until, self.version)

    def answer(self, rows: list[dict[str, Any]]) -> Response:
        """The rows in the wanted format."""
        if self.format == "csv":
            return Response(analytics.as_csv(rows), media_type="text/csv; charset=utf-8")
        return Response(orjson.dumps(rows), media_type="application/json")


def _reviewer(caller: Caller) -> Principal:
    caller.require("review")
    return caller


Asked = Annotated[Question, Depends()]
Reviewer = Annotated[Principal, Depends(_reviewer)]


@router.get("/classes", responses=problems(400) | _CONTENT)
async def classes(asked: Asked, caller: Reviewer, services: ServicesOf) -> Response:
    """Photos, mean confidence and unknown ones by class and hour or day."""
    return asked.answer(await analytics.counts_by_class(services.database, asked.range, asked.period))


@router.get("/latency", responses=problems(400) | _CONTENT)
async def latency(asked: Asked, caller: Reviewer, services: ServicesOf) -> Response:
    """Latency percentiles by hour or day."""
    return asked.answer(await analytics.latency_percentiles(services.database, asked.range, asked.period))


@router.get("/versions", responses=problems(400) | _CONTENT)
async def versions(asked: Asked, caller: Reviewer, services: ServicesOf) -> Response:
    """Photos, mean confidence and unknown ones by model version."""
    return asked.answer(await analytics.versions(services.database, asked.range))


@router.get("/users", responses=problems(400) | _CONTENT)
async def users(asked: Asked, caller: Caller, services: ServicesOf) -> Response:
    """Photos by user."""
    caller.require("admin")
    return asked.answer(await analytics.users(services.database, asked.since, asked.until))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
