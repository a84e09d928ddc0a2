"""Decisions of the watcher, with real processes and a real database; the clock is the test's."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from phytoflow.errors import FolderInUseError, GateError, RolloutError
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

    def command(self, word: str = "{key}", code: int | None = None) -> tuple[str, ...]:
        """Notes a word and ends with a code."""
        code = self.exit_code if code is None else code
        return (sys.executable, "-c", _APPEND, str(self.folder / "ran"), word, str(code))

    def watcher(
        self,
        *triggers: Trigger,
        dry_run: bool = False,
        prepare: tuple[str, ...] = (),
        rollout: tuple[str, ...] = (),
        **limits: float,
    ) -> Watcher:
        settings = WatchSettings(
            directory=str(self.folder),
            every_seconds=0.01,
            limits=LimitSettings.model_validate({"cool_down_hours": 0} | limits),
            prepare=prepare,
            train=self.command(),
            rollout=rollout,
            deploy=self.command(),
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
    await world.watcher(dry_run=True).run(once=True)  # starts nothing
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

    await _until_async(states, ["baseline"])
    world.keys["data"] = "v2"
    watcher.wake()
    await _until_async(states, ["baseline", "running"])
    world.keys["alert"] = "drift"
    watcher.wake()
    await _until_async(states, ["baseline", "running", "waiting"])
    world.keys["alert"] = None
    go.touch()
    watcher.wake()
    await _until_async(states, ["baseline", "succeeded", "succeeded"])
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    await audit.close()


async def _until_async(read: Callable[[], Awaitable[list[str]]], wanted: list[str]) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OperationalError):  # before the table is made
                if await read() == wanted:
                    return
            await asyncio.sleep(0.01)


async def test_a_refused_training_is_no_failure_and_is_not_rolled_out(world: World) -> None:
    before = _failures()
    world.keys["data"], world.exit_code = "v1", GateError.exit_code
    watcher = world.watcher(world.trigger("data"), rollout=world.command("rollout", 0))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    await watcher.run(once=True)
    event = (await world.events())[-1]
    assert (event.state, world.ran) == ("refused", ["v2"]) and event.reason.startswith("exit code 10, see ")
    assert _failures() == before


async def test_what_was_trained_is_rolled_out_from_the_folder_of_its_training(world: World) -> None:
    world.keys["data"] = "v1"
    watcher = world.watcher(world.trigger("data"), rollout=world.command("{output}", RolloutError.exit_code))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    await watcher.run(once=True)
    assert world.ran == ["v2", str(world.folder / "runs" / "000002")]
    events = [(event.trigger, event.key, event.action, event.state) for event in await world.events()]
    assert events[1:] == [("data", "v2", "train", "succeeded"), ("trained", "2", "rollout", "refused")]


async def test_a_watcher_killed_after_the_training_rolls_out_once(world: World) -> None:
    """The rollout was recorded, the end of the training was not."""
    world.keys["data"] = "v1"
    watcher = world.watcher(world.trigger("data"), rollout=world.command("rollout"))
    await watcher.run(once=True)
    audit = AuditLog(f"sqlite+aiosqlite:///{world.folder / 'watch.db'}")
    event = await audit.record("data", "v2", "train", world.now, after=1)
    assert event and await audit.claim(event, world.now)
    await audit.record("trained", str(event.id), "rollout", world.now, after=0)
    await audit.close()
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    await watcher.run(once=True)
    assert world.ran == ["v2", "rollout"]


async def test_what_is_prepared_starts_no_further_training(world: World) -> None:
    """Collected corrections change the data, and an alarm that comes meanwhile wants the same photos."""
    seen = world.folder / "photos"
    seen.write_text("v1")

    async def observe(now: datetime) -> str | None:
        return seen.read_text()

    async def alarm(now: datetime) -> str | None:
        return "alarm" if seen.read_text() == "v2 and corrections" else None

    triggers = [
        Trigger("data", "train", observe, lambda before, now: before != now),
        Trigger("alert", "train", alarm, lambda before, now: before != now, has_baseline=False),
    ]
    append = "import sys; open(sys.argv[1], 'a').write(' and corrections')"
    watcher = world.watcher(*triggers, prepare=(sys.executable, "-c", append, str(seen)))
    await watcher.run(once=True)
    seen.write_text("v2")
    await watcher.run(once=True)
    await watcher.run(once=True)
    assert world.ran == ["v2"]
    states = [(event.key, event.state) for event in await world.events()]
    assert states == [
        ("v1", "baseline"),
        ("v2", "succeeded"),
        ("v2 and corrections", "covered"),
        ("alarm", "covered"),
    ]


async def test_a_training_that_cannot_be_prepared_fails(world: World) -> None:
    world.keys["data"] = "v1"
    watcher = world.watcher(world.trigger("data"), prepare=world.command("prepare", 5))
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    assert world.ran == ["prepare"] and (await world.events())[-1].reason.startswith("exit code 5")


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
