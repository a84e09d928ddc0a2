"""What starts trainings and deployments: each trigger says what it sees now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from phytoflow.client.gateway.errors import error_of
from phytoflow.data.settings import DataSettings
from phytoflow.data.sources.resolve import data_version
from phytoflow.errors import StorageError
from phytoflow.tracking.registry import champion_number
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.watch.audit import Action
from phytoflow.watch.cron import Schedule
from phytoflow.watch.settings import TriggerSettings, WatchSettings

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Trigger:
    """One kind of reason to start something.

    Attributes:
        name: Its name in the audit log.
        action: What it starts.
        observe: What it sees at a moment, as a key; None: nothing.
        is_news: Whether a key, seen after an earlier one, starts something.
        has_baseline: Whether the first key ever seen only says how things are, and starts nothing.
    """

    name: str
    action: Action
    observe: Callable[[datetime], Awaitable[str | None]]
    is_news: Callable[[str, str], bool]
    has_baseline: bool = True


def build_triggers(settings: WatchSettings, tracking: TrackingSettings, data: DataSettings) -> list[Trigger]:
    """The triggers that are switched on."""
    chosen, triggers = settings.triggers, []
    if chosen.schedule:
        triggers.append(_schedule(Schedule.parse(chosen.schedule)))
    if chosen.data:
        triggers.append(_data(chosen.data, data))
    if chosen.gateway and chosen.corrections:
        triggers.append(_corrections(chosen))
    if chosen.drift:
        triggers.append(_drift(chosen))
    if chosen.alertmanager:
        triggers.append(_alert(chosen))
    if chosen.champion:
        triggers.append(_champion(tracking, settings.folder))
    return triggers


def _differs(before: str, now: str) -> bool:
    return before != now


def _schedule(schedule: Schedule) -> Trigger:
    async def observe(now: datetime) -> str | None:
        moment = schedule.last(now)
        return moment.isoformat() if moment else None

    return Trigger("schedule", "train", observe, _differs)


def _data(source: str, settings: DataSettings) -> Trigger:
    async def observe(now: datetime) -> str | None:
        return await asyncio.to_thread(data_version, source, settings)

    return Trigger("data", "train", observe, _differs)


def _corrections(settings: TriggerSettings) -> Trigger:
    """The key is the number of accepted corrections."""

    async def observe(now: datetime) -> str | None:
        count = 0
        async with (
            _gateway_client(settings) as client,
            client.stream("GET", "/v1/feedback/accepted") as response,
        ):
            response.raise_for_status()
            async for line in response.aiter_lines():
                count += bool(line.strip())
        return str(count)

    def is_enough(before: str, now: str) -> bool:
        return int(now) - int(before) >= settings.corrections

    return Trigger("corrections", "train", observe, is_enough)


def _alert(settings: TriggerSettings) -> Trigger:
    """The key is the name of the alert that fired last, and the moment at which it began."""

    async def observe(now: datetime) -> str | None:
        url = f"{settings.alertmanager.rstrip('/')}/api/v2/alerts"
        parameters = {"active": "true", "silenced": "false", "inhibited": "false"}
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            response = await client.get(url, params=parameters)
        response.raise_for_status()
        ours = [one for one in response.json() if one["labels"]["alertname"] in settings.alerts]
        latest = max(ours, key=lambda one: str(one["startsAt"]), default=None)
        return f"{latest['labels']['alertname']} {latest['startsAt']}" if latest else None

    return Trigger("alert", "train", observe, _differs, has_baseline=False)


def _drift(settings: TriggerSettings) -> Trigger:
    """The key is the version of the model, and the photo that raised its alarm."""

    async def observe(now: datetime) -> str | None:
        async with _gateway_client(settings) as client:
            response = await client.get("/v1/drift")
        if error := error_of(response):
            if error.reason == "no_photos":
                return None
            raise error
        state = response.json()
        if not state["alarm_at"] or state["grade"] not in settings.drift:
            return None
        return f"version {state['model_version']}, photo {state['alarm_at']}"

    return Trigger("drift", "train", observe, _differs, has_baseline=False)


def _gateway_client(settings: TriggerSettings) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {_read_token(settings.token_file)}"}
    url = settings.gateway.rstrip("/")
    return httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_SECONDS, headers=headers)


def _champion(tracking: TrackingSettings, directory: Path) -> Trigger:
    async def observe(now: datetime) -> str | None:
        return await asyncio.to_thread(champion_number, tracking, directory)

    return Trigger("champion", "deploy", observe, _differs)


def _read_token(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"cannot read the token in {file}: {error}") from error
