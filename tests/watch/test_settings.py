"""The file of `phytoflow watch`."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.errors import ConfigError
from phytoflow.watch.settings import load_watch_settings


def test_a_file_with_triggers_and_limits(tmp_path: Path) -> None:
    file = tmp_path / "watch.yaml"
    file.write_text("triggers: {data: photos, schedule: '0 3 * * 1'}\nlimits: {cool_down_hours: 1}\n")
    settings = load_watch_settings(file)
    assert settings.triggers.data == "photos" and settings.limits.cool_down_hours == 1
    assert settings.database_url == f"sqlite+aiosqlite:///{Path.cwd() / 'watch' / 'watch.db'}"
    assert settings.train[:2] == ("phytoflow", "run") and "{output}" in settings.train
    assert "serving.publish=false" in settings.train  # a rollout decides on it


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("triggers: {dta: photos}", "dta"),
        ("triggers: {schedule: '0 3 * * 1'}", "set triggers.data"),
        ("triggers: {data: photos, gateway: 'http://a'}", "token_file"),
        ("triggers: {data: photos, alerts: [A]}", "belong together"),
        ("triggers: {data: photos, drift: [harmful]}", "triggers.drift needs triggers.gateway"),
        ("triggers: {data: photos, drift: [none]}", "drift"),
        ("prepare: [collect, '{data}']\ntrain: ['true']", "set triggers.data"),
        ("limits: {trainings_per_day: 0}\ntriggers: {data: photos}", "trainings_per_day"),
        ("- a list", "not keys and values"),
        ("{", "cannot read"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "watch.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=why):
        load_watch_settings(file)


def test_keys_that_do_not_go_together_are_said_plainly(tmp_path: Path) -> None:
    file = tmp_path / "watch.yaml"
    file.write_text("triggers: {data: photos}\nwebhook: {address: '127.0.0.1:9103'}")
    with pytest.raises(ConfigError) as refusal:
        load_watch_settings(file)
    assert str(refusal.value) == "webhook: webhook.address needs webhook.secret_file"
    file.write_text("")
    with pytest.raises(ConfigError) as refusal:
        load_watch_settings(file)
    assert str(refusal.value) == "the command of a training names {data}: set triggers.data"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_watch_settings(tmp_path / "absent.yaml")


def test_a_mounted_secret_and_a_variable_win_over_the_file(tmp_path: Path) -> None:
    file, secret = tmp_path / "watch.yaml", tmp_path / "database-url"
    file.write_text("train: ['true']\nlimits: {cool_down_hours: 1, trainings_per_day: 5}\n")
    secret.write_text("postgresql+asyncpg://gateway:p@db/gateway\n")
    environment = {
        "PHYTOFLOW_WATCH__DATABASE__FILE": str(secret),
        "PHYTOFLOW_WATCH__LIMITS__COOL_DOWN_HOURS": "2",
    }
    settings = load_watch_settings(file, environment)
    assert settings.database_url == "postgresql+asyncpg://gateway:p@db/gateway"
    assert (settings.limits.cool_down_hours, settings.limits.trainings_per_day) == (2, 5)
