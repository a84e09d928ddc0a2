"""Decisions of the watcher, with real processes and a real database; the clock is the test's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phytoflow.errors import FolderInUseError
from phytoflow.watch import metrics
from phytoflow.watch.audit import Action, AuditLog, Event
from phytoflow.watch.settings import LimitSettings, WatchSettings
from phytoflow.watch.triggers import Trigger
from phytoflow.watch.watcher import Watcher

_APPEND = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit(int(sys.argv[3]))"


class World:
    """Keys that triggers see, a clock, and the commands that were run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, datetime(2026, 11, 30, tzinfo=UTC)
        self.keys: dict[str, str | None] = {}
        self.exit_code = 0

    def trigger(self, name: str, action: Action = "train", *, has_baseline: bool = True) -> Trigger:
        async def observe(now: datetime) -> str | None:
            return self.keys.get(name)

        return Trigger(name, action, observe, lambda before, now: before != now, has_baseline)

    def watcher(self, *triggers: Trigger, dry_run: bool = False, **limits: float) -> Watcher:
        command = (sys.executable, "-c", _APPEND, str(self.folder / "ran"), "{key}", str(self.exit_code))
        settings = WatchSettings(
            directory=str(self.folder),
            every_seconds=0.01,
            limits=LimitSettings.model_validate({"cool_down_hours": 0} | limits),
            train=command,
            deploy=command,
        )
        audit = AuditLog(settings.database_url)
        return Watcher(settings, triggers, audit, dry_run=dry_run, clock=lambda: self.now)

    @property
    def ran(self) -> list[str]:
        file = self.folder / "ran"
        return file.read_text().split() if file.exists() else []

    async def events(self) -> list[Event]:
        audit = AuditLog(f"sqlite+aiosqlite:///{self.folder / 'watch.db'}")
        await audit.open()
        events = list(await audit.events())
        await audit.close()
        return events


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_the_first_look_is_the_baseline_and_a_change_starts_one_run(world: World) -> None:
    world.keys["data"] = "v1"
    watcher = world.watcher(world.trigger("data"))
    await watcher.run(once=True)
    assert world.ran == []
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    await watcher.run(once=True)
    assert world.ran == ["v2"]
    world.keys["data"] = "v1"  # back again is a change, too
    await watcher.run(once=True)
    assert world.ran == ["v2", "v1"]
    assert [event.state for event in await world.events()] == ["baseline", "succeeded", "succeeded"]


async def test_an_alarm_has_no_baseline(world: World) -> None:
    watcher = world.watcher(world.trigger("alert", has_baseline=False))
    await watcher.run(once=True)
    world.keys["alert"] = "drift"
    await watcher.run(once=True)
    assert world.ran == ["drift"]


async def test_a_cool_down_defers_and_loses_nothing(world: World) -> None:
    world.keys |= {"data": "v1"}
    watcher = world.watcher(world.trigger("data"), cool_down_hours=12)
    await watcher.run(once=True)
    for key in ("v2", "v3", "v4"):
        world.keys["data"] = key
        await watcher.run(once=True)
    assert world.ran == ["v2"]
    waiting = [event for event in await world.events() if event.state == "waiting"]
    assert [event.key for event in waiting] == ["v3", "v4"] and "cool-down until" in waiting[0].reason
    world.now += timedelta(hours=12, seconds=1)
    await watcher.run(once=True)
    assert world.ran == ["v2", "v3"]  # one training sees the photos of both
    assert [event.state for event in await world.events()][-2:] == ["succeeded", "covered"]


async def test_a_budget_of_runs_a_day(world: World) -> None:
    watcher = world.watcher(world.trigger("data"), trainings_per_day=2)
    for number in range(5):
        world.keys["data"] = f"v{number}"
        await watcher.run(once=True)
    assert world.ran == ["v1", "v2"]
    world.now += timedelta(days=1, seconds=1)
    await watcher.run(once=True)
    assert world.ran == ["v1", "v2", "v3"]


async def test_several_triggers_at_once_start_one_training(world: World) -> None:
    triggers = [world.trigger("data"), world.trigger("corrections"), world.trigger("champion", "deploy")]
    world.keys = {"data": "v1", "corrections": "0", "champion": "1"}
    watcher = world.watcher(*triggers)
    await watcher.run(once=True)
    world.keys = {"data": "v2", "corrections": "100", "champion": "2"}
    await watcher.run(once=True)
    assert world.ran == ["2", "v2"]  # the deployment is no training and comes first


async def test_two_watchers_of_one_database_start_one_run(world: World, tmp_path: Path) -> None:
    """Each in a folder of its own, as on two machines; one folder admits only one."""
    database = f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}"
    world.keys["data"] = "v1"
    watchers = []
    for name in ("a", "b"):
        command = (sys.executable, "-c", _APPEND, str(tmp_path / "ran"), "{key}", "0")
        settings = WatchSettings(
            directory=str(tmp_path / name), limits=LimitSettings(cool_down_hours=0), train=command
        )
        audit = AuditLog(database)
        watchers.append(Watcher(settings, [world.trigger("data")], audit, clock=lambda: world.now))
    await watchers[0].run(once=True)
    world.keys["data"] = "v2"
    await asyncio.gather(*(watcher.run(once=True) for watcher in watchers))
    assert world.ran == ["v2"]


async def test_a_second_watcher_of_a_folder_is_refused(world: World) -> None:
    first = asyncio.create_task(world.watcher().run())
    await _until(lambda: (world.folder / "watch.db").exists())
    with pytest.raises(FolderInUseError):
        await world.watcher().run(once=True)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_a_killed_watcher_is_resumed_and_gives_up_in_the_end(world: World) -> None:
    world.keys["data"] = "v1"
    await world.watcher(world.trigger("data")).run(once=True)
    audit = AuditLog(f"sqlite+aiosqlite:///{world.folder / 'watch.db'}")
    event = await audit.record("data", "v2", "train", world.now, after=1)
    assert event and await audit.claim(event, world.now)  # then the process was killed
    assert not await audit.claim(event, world.now)
    world.keys["data"] = "v2"
    await world.watcher(world.trigger("data")).run(once=True)
    assert world.ran == ["v2"] and (await world.events())[-1].attempts == 2
    await audit.change(event, state="running", attempts=3)
    await audit.close()
    await world.watcher(world.trigger("data")).run(once=True)
    assert world.ran == ["v2"] and (await world.events())[-1].reason == "given up after 3 attempts"


async def test_a_run_that_goes_on_is_waited_for(world: World, tmp_path: Path) -> None:
    """The command says twice that another run works in the folder, then ends well."""
    world.keys["data"] = "v1"
    count = (
        "import sys; f = open(sys.argv[1], 'a+'); f.write('x'); f.seek(0); sys.exit(14 * (f.read() < 'xxx'))"
    )
    settings = WatchSettings(
        directory=str(tmp_path),
        every_seconds=0.01,
        limits=LimitSettings(cool_down_hours=0),
        train=(sys.executable, "-c", count, str(tmp_path / "count")),
    )
    watcher = Watcher(settings, [world.trigger("data")], AuditLog(settings.database_url))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    assert (tmp_path / "count").read_text() == "xxx" and (await world.events())[-1].state == "succeeded"


async def test_a_failed_run_is_recorded_with_its_log(world: World) -> None:
    before = _failures()
    world.keys["data"], world.exit_code = "v1", 3
    watcher = world.watcher(world.trigger("data"))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    event = (await world.events())[-1]
    assert event.state == "failed" and event.reason.startswith("exit code 3, see ") and event.ended
    assert _failures() == before + 1


async def test_a_dry_run_starts_and_records_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.keys["data"] = "v1"
    await world.watcher(world.trigger("data")).run(once=True)
    world.keys["data"] = "v2"
    caplog.set_level("INFO")
    await world.watcher(world.trigger("data"), dry_run=True).run(once=True)
    assert "data: v2, would start" in caplog.text and world.ran == []
    assert len(await world.events()) == 1


async def test_a_trigger_that_cannot_be_read_keeps_no_other_back(world: World) -> None:
    async def fail(now: datetime) -> str | None:
        raise OSError("no network")

    broken = Trigger("corrections", "train", fail, lambda before, now: True)
    world.keys["data"] = "v1"
    watcher = world.watcher(broken, world.trigger("data"))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    assert world.ran == ["v2"]


def _failures() -> float:
    labels = {"action": "train", "state": "failed"}
    return metrics.REGISTRY.get_sample_value("watch_events_total", labels) or 0


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)
