"""How far long work is: as events for a parent, as lines, and as text."""

from __future__ import annotations

import logging

import pytest

from phytoflow.system import progress as module
from phytoflow.system.progress import EVENTS_VARIABLE, ProgressEvent, Throttle, duration, progress, track


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVENT_SECONDS", 0.0)
    monkeypatch.setattr(module, "_LINE_SECONDS", 0.0)


@pytest.mark.usefixtures("no_waiting")
def test_a_step_prints_events_that_its_parent_reads(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(EVENTS_VARIABLE, "1")
    assert list(track("abc", "Reading photos")) == ["a", "b", "c"]
    events = [ProgressEvent.from_line(line) for line in capsys.readouterr().out.splitlines()]
    assert [(e.description, e.done, e.total) for e in events if e] == [
        ("Reading photos", 1, 3),
        ("Reading photos", 2, 3),
        ("Reading photos", 3, 3),
    ]


@pytest.mark.usefixtures("no_waiting")
def test_without_a_terminal_there_are_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), progress("Training", total=4) as counter:
        counter.advance()
        counter.advance(3)
    first, last = caplog.messages
    assert first.startswith("Training: 1 of 4, ") and first.endswith(" left") and last == "Training: 4 of 4"


def test_short_work_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert len(list(track(range(100), "Reading photos"))) == 100
    assert caplog.messages == []


def test_an_iterator_without_length_is_counted() -> None:
    assert list(track(iter("ab"), "Reading")) == ["a", "b"]
    assert ProgressEvent("Reading", 7, None, 1.0).to_text() == "Reading: 7"


def test_the_time_left_follows_from_the_time_taken() -> None:
    assert ProgressEvent("Reading", 10, 40, 5.0).to_text() == "Reading: 10 of 40, 15 s left"
    assert ProgressEvent("Reading", 0, 40, 5.0).to_text() == "Reading: 0 of 40"
    assert ProgressEvent("Reading", 40, 40, 5.0).to_text() == "Reading: 40 of 40"


@pytest.mark.parametrize("description", ["Reading photos", "Löwenzahn #1\n{}", "::progress "])
def test_an_event_is_one_line_whatever_it_describes(description: str) -> None:
    event = ProgressEvent(description, 1, 2, 0.5)
    assert "\n" not in event.to_line() and ProgressEvent.from_line(event.to_line()) == event


@pytest.mark.parametrize(
    "line", ["", "[train] ::progress", "::progress {", '::progress {"done": 1}', "::progress 3"]
)
def test_other_lines_are_no_events(line: str) -> None:
    assert ProgressEvent.from_line(line) is None


def test_a_throttle_lets_one_through_each_so_many_seconds() -> None:
    now = [0.0]
    throttle = Throttle(5, clock=lambda: now[0])
    due = []
    for now[0] in (1.0, 5.0, 6.0, 9.9, 10.0):
        due.append(throttle.due())
    assert due == [False, True, False, False, True]
    throttle.restart()
    now[0] = 14.9
    assert not throttle.due()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
