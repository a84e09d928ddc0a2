"""What the watcher sees, with a real database; the clock is the test's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from phytoflow.errors import FolderInUseError
from phytoflow.watch.audit import AuditLog, WatchBase
from phytoflow.watch.settings import LimitSettings, WatchSettings
from phytoflow.watch.triggers import Trigger
from phytoflow.watch.watcher import Watcher
from tests.support.services.databases import RunningServer, postgres_server
from tests.watch.conftest import APPEND, World, until_states


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


async def test_two_watchers_of_one_database_start_one_run(world: World, tmp_path: Path) -> None:
    """Each in a folder of its own, as on two machines; one folder admits only one."""
    database = f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}"
    world.keys["data"] = "v1"
    watchers = []
    for name in ("a", "b"):
        command = (sys.executable, "-c", APPEND, str(tmp_path / "ran"), "{key}", "0")
        settings = WatchSettings(
            directory=str(tmp_path / name), limits=LimitSettings(cool_down_hours=0), train=command
        )
        audit = AuditLog(database)
        watchers.append(Watcher(settings, [world.trigger("data")], audit, clock=lambda: world.now))
    await watchers[0].run(once=True)
    world.keys["data"] = "v2"
    await asyncio.gather(*(watcher.run(once=True) for watcher in watchers))
    assert world.ran == ["v2"]


async def _open_at_once(url: str) -> None:
    logs = [AuditLog(url) for _ in range(4)]
    await asyncio.gather(*(log.open() for log in logs))
    assert [await log.events() for log in logs] == [[]] * 4
    async with logs[0].engine.begin() as connection:
        await connection.run_sync(WatchBase.metadata.drop_all)
    for log in logs:
        await log.close()


@pytest.mark.parametrize("server", [None, postgres_server])
async def test_processes_that_begin_at_once_share_a_new_database(
    server: Callable[[Path], RunningServer] | None, tmp_path: Path
) -> None:
    running = server(tmp_path) if server else None
    for _ in range(5):
        await _open_at_once(running.url if running else f"sqlite+aiosqlite:///{tmp_path / 'watch.db'}")
    if running:
        running.stop()


async def test_a_second_watcher_of_a_folder_is_refused(world: World) -> None:
    first = asyncio.create_task(world.watcher().run())
    await _until(lambda: (world.folder / "watch.db").exists())
    with pytest.raises(FolderInUseError):
        await world.watcher().run(once=True)
    await world.watcher(dry_run=True).run(once=True)  # starts nothing
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_triggers_are_seen_while_a_training_runs_and_at_once_when_woken(world: World) -> None:
    """The training waits for a file; meanwhile an alarm comes and goes."""
    world.keys |= {"data": "v1", "alert": None}
    go = world.folder / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)"
    settings = WatchSettings(
        directory=str(world.folder),
        every_seconds=3600,
        limits=LimitSettings(cool_down_hours=0),
        train=(sys.executable, "-c", wait),
    )
    triggers = [world.trigger("data"), world.trigger("alert", has_baseline=False)]
    audit = AuditLog(settings.database_url)
    watcher = Watcher(settings, triggers, audit, clock=lambda: world.now)
    working = asyncio.create_task(watcher.run())

    async def states() -> list[str]:
        return [event.state for event in await audit.events()]

    await until_states(states, ["baseline"])
    world.keys["data"] = "v2"
    watcher.wake()
    await until_states(states, ["baseline", "running"])
    world.keys["alert"] = "drift"
    watcher.wake()
    await until_states(states, ["baseline", "running", "waiting"])
    world.keys["alert"] = None
    go.touch()
    watcher.wake()
    await until_states(states, ["baseline", "succeeded", "succeeded"])
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await audit.close()


async def test_a_dry_run_starts_and_records_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.keys["data"] = "v1"
    await world.watcher(world.trigger("data")).run(once=True)
    world.keys["data"] = "v2"
    caplog.set_level("INFO")
    await world.watcher(world.trigger("data"), dry_run=True).run(once=True)
    assert "data: v2, would start" in caplog.text and world.ran == []
    assert len(await world.events()) == 1


async def test_a_dry_run_says_why_nothing_would_start(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    await world.watcher(world.trigger("data"), dry_run=True).run(once=True)
    world.keys["data"] = "v1"
    await world.watcher(world.trigger("data"), dry_run=True).run(once=True)
    await world.watcher(world.trigger("data")).run(once=True)
    await world.watcher(world.trigger("data"), dry_run=True).run(once=True)
    assert [record.message for record in caplog.records if record.message.startswith("data: ")] == [
        "data: nothing",
        "data: v1, the first look: it starts nothing",
        "data: v1, nothing new since event 1",
    ]


async def test_a_dry_run_says_what_limits_hold_back(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    for key in ("v1", "v2", "v3"):
        world.keys["data"] = key
        await world.watcher(world.trigger("data"), cool_down_hours=12).run(once=True)
    world.keys["data"] = "v4"
    caplog.clear()
    await world.watcher(world.trigger("data"), dry_run=True, cool_down_hours=12).run(once=True)
    limit = "would wait: cool-down until 2026-11-30 12:00 UTC"
    assert caplog.messages == [f"data: v4, would start, but {limit}", f"event 3, data: v3, {limit}"]
    caplog.clear()
    world.now += timedelta(hours=13)
    await world.watcher(world.trigger("data"), dry_run=True, cool_down_hours=12).run(once=True)
    assert caplog.messages == ["data: v4, would start", "event 3, data: v3, would start"]
    assert world.ran == ["v2"]


async def test_a_trigger_that_cannot_be_read_keeps_no_other_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The same error is said once, not at each look; after an answer it is news again."""
    broken_is_read = False

    async def fail(now: datetime) -> str | None:
        if broken_is_read:
            return None
        raise OSError("no network")

    broken = Trigger("corrections", "train", fail, lambda before, now: True)
    world.keys["data"] = "v1"
    watcher = world.watcher(broken, world.trigger("data"))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    assert world.ran == ["v2"]
    assert caplog.text.count("corrections cannot be read: OSError: no network") == 1
    broken_is_read = True
    await watcher.run(once=True)
    broken_is_read = False
    await watcher.run(once=True)
    assert caplog.text.count("corrections cannot be read: OSError: no network") == 2


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)
