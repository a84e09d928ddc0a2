"""Whose rollout it is, on a stack; tests/slow/stack/test_renewal.py runs one from start to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phytoflow.errors import FolderInUseError
from phytoflow.renewal.on_stack import StackServers
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from tests.support.golden import BUNDLE
from tests.support.make_bundle import make_bundle


@pytest.fixture
def servers(tmp_path: Path) -> StackServers:
    layout = Layout(tmp_path / "stack")
    layout.directory.mkdir()
    Plan(str(BUNDLE), "127.0.0.1", 8000, {}, (), "").write(layout)
    return StackServers(layout, make_bundle(tmp_path / "run" / "bundle"))


def test_a_rollout_is_known_by_the_note_that_was_left(servers: StackServers) -> None:
    with servers.exclusive():
        servers.remember({"id": "1"})
        with pytest.raises(FolderInUseError), servers.exclusive():
            pass
    assert servers.is_of_bundle({"id": "1", "stage": "refused"})
    assert not servers.is_of_bundle({"id": "2", "stage": "canary"})
    assert not replace(servers, bundle=BUNDLE).is_of_bundle({"id": "1", "stage": "canary"})


def test_killed_before_the_note_it_is_known_by_what_the_stack_serves(servers: StackServers) -> None:
    Plan(str(BUNDLE), "127.0.0.1", 8000, {}, (), "", str(servers.bundle)).write(servers.layout)
    assert servers.is_of_bundle({"id": "3", "stage": "shadow"})
    assert not servers.is_of_bundle({"id": "3", "stage": "aborted"})
