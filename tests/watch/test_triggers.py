"""What each trigger sees, with real photos, a real gateway, a real Alertmanager and a real registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from benchmarks.dashboards.load import Callers, send_round
from phytoflow.alerts.alertmanager import render_config
from phytoflow.client.gateway import GatewayClient, GatewayError
from phytoflow.data.settings import DataSettings
from phytoflow.tracking.registry import champion_number, promote, register
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.watch.settings import TriggerSettings, WatchSettings
from phytoflow.watch.triggers import Trigger, build_triggers
from tests.support.drift import bundle_with_reference, leaf_photos
from tests.support.golden import BUNDLE, PHOTOS, SERVED
from tests.support.services.gateway import start_gateway
from tests.support.services.processes import wait_until
from tests.support.services.prometheus import alertmanager_server
from tests.support.services.servers import running

NOW = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)
PHOTO = (PHOTOS / SERVED[0]).read_bytes()


def _build(folder: Path, **triggers: object) -> Trigger:
    settings = WatchSettings(
        directory=str(folder), triggers=TriggerSettings.model_validate(triggers), train=("true",)
    )
    (trigger,) = build_triggers(settings, TrackingSettings(), DataSettings())
    return trigger


def test_nothing_is_switched_on_by_itself(tmp_path: Path) -> None:
    settings = WatchSettings(directory=str(tmp_path), train=("true",))
    assert build_triggers(settings, TrackingSettings(), DataSettings()) == []


def test_a_gateway_that_is_asked_for_drift_only(tmp_path: Path) -> None:
    chosen = {"gateway": "http://gateway", "token_file": "token", "corrections": 0, "drift": ["harmful"]}
    assert _build(tmp_path, **chosen).name == "drift"


async def test_a_schedule_gives_its_last_moment(tmp_path: Path) -> None:
    trigger = _build(tmp_path, schedule="0 1 * * *")
    assert await trigger.observe(NOW) == "2026-11-30T01:00:00+00:00"
    assert await trigger.observe(NOW + timedelta(hours=3)) == await trigger.observe(NOW)
    assert await trigger.observe(NOW + timedelta(days=1)) != await trigger.observe(NOW)


async def test_the_data_change_with_a_photo(tmp_path: Path) -> None:
    photos = tmp_path / "photos" / "rust"
    photos.mkdir(parents=True)
    (photos / "a.jpg").write_bytes(PHOTO)
    trigger = _build(tmp_path, data=str(tmp_path / "photos"))
    before = await trigger.observe(NOW)
    assert before == await trigger.observe(NOW)
    (photos / "b.jpg").write_bytes(PHOTO)
    after = await trigger.observe(NOW)
    assert before and after and before != after and trigger.is_news(before, after)


async def test_accepted_corrections_are_counted(tmp_path: Path) -> None:
    with running(BUNDLE, tmp_path / "predictor.log", inference_threads=1) as predictor:
        gateway = start_gateway(tmp_path, predictor.url)
        (tmp_path / "token").write_text(gateway.token("watch", "review") + "\n")
        trigger = _build(tmp_path, gateway=gateway.url, token_file=str(tmp_path / "token"), corrections=2)
        assert await trigger.observe(NOW) == "0"
        callers = Callers(
            gateway.client(), gateway.client("rita", "predict review"), httpx.Client(base_url=gateway.url)
        )
        for _ in range(2):
            send_round(callers, PHOTO, ["healthy", "rust", "scab"])
        assert await trigger.observe(NOW) == "2"
        (tmp_path / "token").write_text("wrong")
        with pytest.raises(httpx.HTTPStatusError):
            await trigger.observe(NOW)
        gateway.stop()
    assert trigger.is_news("0", "2") and not trigger.is_news("1", "2") and not trigger.is_news("5", "2")


async def test_a_drift_alarm_of_a_wanted_grade(tmp_path: Path) -> None:
    bundle = bundle_with_reference(tmp_path / "bundle")
    with running(bundle, tmp_path / "predictor.log", inference_threads=1) as predictor:
        watched = {"upstream__champion_bundle": bundle, "monitoring__every_seconds": 0.1}
        watched |= {"log__flush_seconds": 5}  # so that the monitor sees all photos at once, and grades
        gateway = start_gateway(tmp_path, predictor.url, **watched)
        (tmp_path / "token").write_text(gateway.token("watch", "review"))
        place = {"gateway": gateway.url, "token_file": str(tmp_path / "token")}
        both = [_drift(tmp_path, place, grades) for grades in (["harmless"], ["harmful", "unfamiliar"])]
        assert [await trigger.observe(NOW) for trigger in both] == [None, None]
        with GatewayClient(gateway.url, gateway.token()) as anna, gateway.client("rita", "review") as rita:
            anna.predict_batch(leaf_photos(600, 48, brightness=0.35))
            wait_until(lambda: _is_graded(rita, 48), 30, "the alarm is graded")
            state = rita.get("/v1/drift").json()
        seen = [await trigger.observe(NOW) for trigger in both]
        gateway.stop()
    key = f"version {state['model_version']}, photo {state['alarm_at']}"
    assert seen == ([key, None] if state["grade"] == "harmless" else [None, key])


async def test_a_gateway_that_watches_no_drift_says_so(tmp_path: Path) -> None:
    with running(BUNDLE, tmp_path / "predictor.log", inference_threads=1) as predictor:
        gateway = start_gateway(tmp_path, predictor.url)
        (tmp_path / "token").write_text(gateway.token("watch", "review"))
        place = {"gateway": gateway.url, "token_file": str(tmp_path / "token")}
        with pytest.raises(GatewayError, match="drift is not watched here"):
            await _drift(tmp_path, place, ["harmful"]).observe(NOW)
        gateway.stop()


def _drift(folder: Path, place: dict[str, str], grades: list[str]) -> Trigger:
    settings = WatchSettings(
        directory=str(folder),
        triggers=TriggerSettings.model_validate(place | {"drift": grades}),
        train=("true",),
    )
    _, trigger = build_triggers(settings, TrackingSettings(), DataSettings())
    assert trigger.name == "drift" and not trigger.has_baseline
    return trigger


def _is_graded(rita: httpx.Client, photos: int) -> bool:
    state = rita.get("/v1/drift").json()
    return state.get("photos") == photos and state["grade"] not in ("none", "ungraded")


async def test_an_alert_that_fires_is_seen_and_another_is_not(tmp_path: Path) -> None:
    server = alertmanager_server(tmp_path, render_config())
    trigger = _build(tmp_path, alertmanager=server.url, alerts=["PhytoflowUnknownPhotos"])
    assert await trigger.observe(NOW) is None and not trigger.has_baseline
    for name in ("PhytoflowModelOld", "PhytoflowUnknownPhotos"):
        alert = {"labels": {"alertname": name}, "startsAt": "2026-11-30T01:00:00Z"}
        assert httpx.post(f"{server.url}/api/v2/alerts", json=[alert]).status_code == 200
    seen = await trigger.observe(NOW)
    assert seen and seen.startswith("PhytoflowUnknownPhotos 2026-11-30T01:00:00")
    server.kill()


async def test_the_champion_of_the_registry(tmp_path: Path) -> None:
    trigger = _build(tmp_path, champion=True)
    assert trigger.action == "deploy" and await trigger.observe(NOW) is None
    version = register(BUNDLE, TrackingSettings(), tmp_path)
    assert champion_number(TrackingSettings(), tmp_path) is None  # a challenger is no champion
    promote(TrackingSettings(), tmp_path, version)
    assert await trigger.observe(NOW) == version
