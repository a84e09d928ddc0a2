"""Schedules in the five fields of cron, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from phytoflow.errors import ConfigError

_RANGES = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_LONGEST_DAYS = 366 * 8 + 1  # 29 February comes after eight years at the latest


@dataclass(frozen=True)
class Schedule:
    """Moments that recur.

    Attributes:
        text: The fields as they were given.
        fields: Allowed minutes, hours, days, months and weekdays (0: Sunday).
        any_day: Whether the day of the month is ``*``.
        any_weekday: Whether the weekday is ``*``.
    """

    text: str
    fields: tuple[frozenset[int], ...]
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> Schedule:
        """Reads ``minute hour day month weekday`` with ``*``, lists, ranges and steps; raises ConfigError."""
        words = text.split()
        if len(words) != len(_RANGES):
            remedy = "write minute, hour, day, month and weekday, e.g. 0 3 * * 1"
            raise ConfigError(f"{text!r} is no schedule of five fields", remedy=remedy)
        fields = [_parse_field(word, *limits) for word, limits in zip(words, _RANGES, strict=True)]
        fields[4] = frozenset(day % 7 for day in fields[4])
        return cls(text, tuple(fields), words[2] == "*", words[4] == "*")

    def last(self, now: datetime) -> datetime | None:
        """The latest moment of the schedule that is not after now; None if there was none within years."""
        moment = now.astimezone(UTC).replace(second=0, microsecond=0)
        minutes, hours, *_ = self.fields
        day = moment.date()
        for _ in range(_LONGEST_DAYS):
            if self._is_day(datetime(day.year, day.month, day.day, tzinfo=UTC)):
                for hour in sorted(hours, reverse=True):
                    for minute in sorted(minutes, reverse=True):
                        found = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                        if found <= moment:
                            return found
            day -= timedelta(days=1)
        return None

    def _is_day(self, day: datetime) -> bool:
        """As cron has it: if both kinds of day are restricted, either is enough."""
        _, _, days, months, weekdays = self.fields
        if day.month not in months:
            return False
        in_month, in_week = day.day in days, day.isoweekday() % 7 in weekdays
        if self.any_day or self.any_weekday:
            return in_month and in_week
        return in_month or in_week


def _parse_field(word: str, name: str, low: int, high: int) -> frozenset[int]:
    values: set[int] = set()
    try:
        for part in word.split(","):
            span, _, step = part.partition("/")
            first, _, last = span.partition("-")
            begin = low if first == "*" else int(first)
            end = high if first == "*" or (step and not last) else int(last or first)
            if not low <= begin <= end <= high or int(step or 1) < 1:
                raise ValueError
            values |= set(range(begin, end + 1, int(step or 1)))
    except ValueError:
        raise ConfigError(
            f"{word!r} is no {name} of a schedule", remedy=f"give {low} to {high}, *, lists, ranges or steps"
        ) from None
    return frozenset(values)
