"""`phytoflow stack` with every program that is installed: kills, backup and restore, and a clean end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.stack.running import RunningStack, started
from phytoflow.stack.backup import back_up, restore
from phytoflow.stack.control import read_state
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import OPTIONAL, Plan
from tests.support.golden import BUNDLE
from tests.support.services.processes import processes_naming, runs

PHOTO = sorted((BUNDLE / "probes").glob("*.*"))[0].read_bytes()
RECOVERY_SECONDS = 20.0


@pytest.fixture(scope="module", params=[(), OPTIONAL], ids=["everything", "embedded"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    with started(BUNDLE, tmp_path_factory.mktemp("stack") / "stack", request.param) as running:
        yield running


@pytest.mark.timeout(900)
def test_each_service_that_is_killed_comes_back_and_nothing_is_lost(stack: RunningStack) -> None:
    for service in read_state(stack.layout).services:
        stack.predict(PHOTO)
        stack.submit(PHOTO)
        assert stack.kill(service) <= RECOVERY_SECONDS, service
        assert stack.lost() == [], service
    assert "anna" in stack.console()


@pytest.mark.timeout(600)
def test_a_backup_of_a_running_stack_is_taken_back_into_another_folder(
    stack: RunningStack, tmp_path: Path
) -> None:
    stack.predict(PHOTO)
    assert stack.lost() == []
    archive = tmp_path / "stack.tar.gz"
    back_up(stack.layout, archive)
    assert archive.stat().st_mode & 0o077 == 0
    plan = Plan.read(stack.layout)
    assert plan is not None
    restore(Layout(tmp_path / "other"), archive)
    with started(BUNDLE, tmp_path / "other", plan.without) as other:
        other.predicted = list(stack.predicted)
        assert other.lost() == []


@pytest.mark.timeout(600)
def test_down_leaves_no_process_and_keeps_what_was_answered(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    with started(BUNDLE, folder) as first:
        first.predict(PHOTO)
        pids = [one["pid"] for one in read_state(first.layout).services.values()]
    assert processes_naming(folder) == []
    assert not any(map(runs, pids))
    assert read_state(first.layout).pid is None
    with started(BUNDLE, folder) as second:
        second.predicted = first.predicted
        assert second.lost() == []
