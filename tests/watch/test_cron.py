"""Schedules in the fields of cron."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from phytoflow.errors import ConfigError
from phytoflow.watch.cron import Schedule

NOW = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("* * * * *", "2026-11-30 01:30"),
        ("0 3 * * *", "2026-11-29 03:00"),
        ("*/20 * * * *", "2026-11-30 01:20"),
        ("5/20 1 * * *", "2026-11-30 01:25"),
        ("0 3 * * 1", "2026-11-23 03:00"),
        ("0 0 * * 0", "2026-11-29 00:00"),
        ("0 0 * * 7", "2026-11-29 00:00"),
        ("0 0 * * 1-5", "2026-11-30 00:00"),
        ("0 12 1 * *", "2026-11-01 12:00"),
        ("0 12 15 6,9 *", "2026-09-15 12:00"),
        ("0 0 15 * 5", "2026-11-27 00:00"),  # both kinds of day: either
        ("0 0 29 2 *", "2024-02-29 00:00"),
    ],
)
def test_the_last_moment(text: str, last: str) -> None:
    found = Schedule.parse(text).last(NOW)
    assert found and f"{found:%Y-%m-%d %H:%M}" == last


def test_a_day_that_never_comes() -> None:
    assert Schedule.parse("0 0 31 2 *").last(NOW) is None


WRONG = ["", "* * * *", "60 * * * *", "* * 0 * *", "a * * * *", "*/0 * * * *", "5-1 * * * *"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        Schedule.parse(text)
