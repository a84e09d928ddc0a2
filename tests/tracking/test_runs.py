"""Runs as a real MLflow store gives them back."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.errors import ConfigError
from phytoflow.tracking.runs import read_runs
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker

SETTINGS = TrackingSettings()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: a first, a second with a curve, and one that failed."""
    folder = tmp_path_factory.mktemp("runs")
    with Tracker.open(SETTINGS, folder, name="first") as tracker:
        tracker.log_params({"training": {"dropout": 0.2}})
        tracker.log_scalars({"test.accuracy": 0.9})
    with Tracker.open(SETTINGS, folder, name="second") as tracker:
        for step in (2, 0, 1):
            tracker.log_metrics({"train/loss": 1.0 - step / 4}, step=step)
        tracker.log_scalars({"test.accuracy": 0.95, "test.intervals.accuracy.low": 0.9})
    with pytest.raises(RuntimeError), Tracker.open(SETTINGS, folder, name="third"):
        raise RuntimeError
    return folder


def test_the_two_newest_finished_runs_are_read_the_older_first(store: Path) -> None:
    first, second = read_runs(SETTINGS, store, [])
    assert (first.name, second.name) == ("first", "second")
    assert first.parameters == {"training.dropout": "0.2"} and first.metrics == {"test.accuracy": 0.9}
    assert first.curves == {} and first.seconds is not None and 0 <= first.seconds < 60
    assert second.curves == {"train/loss": [(0, 1.0), (1, 0.75), (2, 0.5)]}


def test_a_run_is_found_by_its_name_or_the_beginning_of_its_id(store: Path) -> None:
    (second,) = read_runs(SETTINGS, store, ["second"])
    third, again = read_runs(SETTINGS, store, ["third", second.id[:10]])
    assert third.status == "FAILED" and again == second


def test_what_is_not_there_is_said_with_what_is(store: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run 'fourth'") as caught:
        read_runs(SETTINGS, store, ["fourth"])
    assert "(first)" in str(caught.value.remedy) and "(second)" in str(caught.value.remedy)
    with pytest.raises(ConfigError, match="several runs"):
        read_runs(SETTINGS, store, [""])
