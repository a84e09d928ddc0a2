"""What is said of finished epochs."""

import logging

import pytest

from phytoflow.system.progress import EVENTS_VARIABLE, ProgressEvent
from phytoflow.training.engine import epoch_reporter
from phytoflow.training.engine.epoch_reporter import EpochReporter
from tests.support.small_training import Notes


def test_every_epoch_is_recorded_and_the_first_and_last_are_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    notes = Notes()
    reporter = EpochReporter(notes)
    with reporter.fit("fold 1 of 3", 60):
        for epoch in range(1, 5):
            reporter.report("fold 1 of 3", epoch, {"train/loss": 1 / epoch})
    assert notes.metrics == [(epoch, {"fold 1 of 3/train/loss": 1 / epoch}) for epoch in range(1, 5)]
    assert [record.getMessage() for record in caplog.records] == [
        "fold 1 of 3: epoch 1, train loss 1.000",
        "fold 1 of 3 done: epoch 4, train loss 0.250",
    ]


def test_progress_names_the_part_and_counts_its_epochs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(EVENTS_VARIABLE, "1")
    monkeypatch.setattr("phytoflow.system.progress._EVENT_SECONDS", 0.0)
    reporter = EpochReporter(Notes())
    with reporter.fit("fold 2 of 3", 10):
        reporter.report("fold 2 of 3", 4, {})  # resumed: three epochs were there
        reporter.report("fold 2 of 3", 5, {})
    events = [ProgressEvent.from_line(line) for line in capsys.readouterr().out.splitlines()]
    assert [(event.description, event.done, event.total) for event in events if event] == [
        ("fold 2 of 3, epochs", 4, 10),
        ("fold 2 of 3, epochs", 5, 10),
    ]


def test_an_epoch_outside_a_fit_is_recorded_all_the_same() -> None:
    """A fit that is taken over from a killed process is reported before it goes on."""
    notes = Notes()
    epoch_reporter.EpochReporter(notes).report("fold 1", 3, {"train/loss": 0.5})
    assert notes.metrics == [(3, {"fold 1/train/loss": 0.5})]
