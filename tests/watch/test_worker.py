"""What is carried out, and when, with real processes and a real database; the clock is the test's."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from phytoflow.errors import GateError, RolloutError
from phytoflow.watch import metrics
from phytoflow.watch.audit import AuditLog
from phytoflow.watch.settings import LimitSettings, WatchSettings
from phytoflow.watch.triggers import Trigger
from phytoflow.watch.watcher import Watcher
from tests.watch.conftest import World, until_states


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


async def test_a_training_that_cannot_be_prepared_is_given_up_in_the_end(world: World) -> None:
    world.keys["data"] = "v1"
    watcher = world.watcher(world.trigger("data"), prepare=world.command("prepare", 5), prepare_attempts=3)
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    await watcher.run(once=True)
    event = (await world.events())[-1]
    assert world.ran == ["prepare"] * 3
    assert event.state == "failed" and event.reason.startswith("exit code 5")


async def test_a_gateway_that_comes_back_is_asked_again_before_the_training(world: World) -> None:
    """While it is away, the audit log says why nothing goes on."""
    back, world.keys["data"] = world.folder / "back", "v1"
    ask = f"import os, sys; sys.exit(0 if os.path.exists({str(back)!r}) else 5)"
    limits = {"prepare_attempts": 10_000, "prepare_pause_seconds": 0.05}
    watcher = world.watcher(world.trigger("data"), prepare=(sys.executable, "-c", ask), **limits)
    await watcher.run(once=True)
    world.keys["data"] = "v2"
    working = asyncio.create_task(watcher.run(once=True))
    audit = AuditLog(f"sqlite+aiosqlite:///{world.folder / 'watch.db'}")

    async def reasons() -> list[str]:
        return [event.reason.partition(",")[0] for event in await audit.events("running")]

    await until_states(reasons, ["prepare"])
    assert world.ran == []
    back.touch()
    await working
    await audit.close()
    event = (await world.events())[-1]
    assert world.ran == ["v2"]
    assert event.state == "succeeded" and event.reason.startswith("prepared at attempt ")


def _failures() -> float:
    labels = {"action": "train", "state": "failed"}
    return metrics.REGISTRY.get_sample_value("watch_events_total", labels) or 0
