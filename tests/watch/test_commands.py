"""Commands of events: placeholders, folders, and real processes."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from phytoflow.watch.audit import Action, Event
from phytoflow.watch.commands import build_commands, output_folder, run_command
from phytoflow.watch.settings import TriggerSettings, WatchSettings

SETTINGS = WatchSettings(
    directory="/watch",
    triggers=TriggerSettings(data="photos", gateway="http://gateway", token_file="token"),
    prepare=("collect", "--feedback", "{gateway}", "--token-file", "{token_file}", "--output", "{data}"),
    train=("train", "--data={data}", "{output}", "{key}", "s3://models/{event}"),
    rollout=("roll", "{output}/bundle", "{event}"),
    deploy=("deploy",),
)


def event(number: int, action: Action, key: str = "v2") -> Event:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    return Event(id=number, trigger="data", key=key, action=action, state="running", created=now, after=0)


def test_a_training_is_prepared_in_its_own_folder() -> None:
    assert build_commands(event(7, "train"), SETTINGS) == [
        ["collect", "--feedback", "http://gateway", "--token-file", "token", "--output", "photos"],
        ["train", "--data=photos", "/watch/runs/000007", "v2", "s3://models/000007"],
    ]
    unprepared = SETTINGS.model_copy(update={"prepare": ()})
    assert len(build_commands(event(7, "train"), unprepared)) == 1


def test_a_rollout_takes_the_folder_of_its_training() -> None:
    rollout = build_commands(event(8, "rollout", "7"), SETTINGS)
    assert rollout == [["roll", "/watch/runs/000007/bundle", "000007"]]
    assert output_folder(event(9, "deploy"), SETTINGS) == Path("/watch/runs/000009")
    assert build_commands(event(9, "deploy"), SETTINGS) == [["deploy"]]


async def test_the_output_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    for _ in range(2):
        assert await run_command([sys.executable, "-c", script], log, 0.01) == 3
    assert sorted(log.read_text().split()) == ["err", "err", "out", "out"]


async def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        await run_command([str(tmp_path / "nowhere")], tmp_path / "log", 0.01)
