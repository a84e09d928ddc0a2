"""Programs of other projects, where they are installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from phytoflow.stack import programs


def install(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without PostgreSQL and a user who is not root."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(programs, "_POSTGRES_FOLDERS", (str(tmp_path / "lib"),))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    return tmp_path


def test_without_postgres_there_is_none(nowhere: Path) -> None:
    assert programs.find_postgres() is None
    assert programs.find_program("postgres") is None
    assert programs.as_postgres_user(nowhere) == []


def test_the_newest_version_with_all_programs_is_used(nowhere: Path) -> None:
    install(nowhere / "lib" / "15" / "bin", *programs._NEEDED)
    install(nowhere / "lib" / "17" / "bin", "postgres", "initdb")  # a part of the package is not installed
    assert programs.find_postgres() == nowhere / "lib" / "15" / "bin"
    install(nowhere / "lib" / "16" / "bin", *programs._NEEDED)
    assert programs.find_postgres() == nowhere / "lib" / "16" / "bin"


def test_that_on_the_path_goes_first(nowhere: Path) -> None:
    install(nowhere / "lib" / "16" / "bin", *programs._NEEDED)
    install(nowhere / "bin", *programs._NEEDED)
    assert programs.find_postgres() == nowhere / "bin"


def test_root_needs_another_user_to_run_it(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(nowhere / "bin", *programs._NEEDED, "setpriv")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(programs, "_POSTGRES_USER", "nobody-of-this-name")
    assert programs.find_postgres() is None
    monkeypatch.setattr(programs, "_POSTGRES_USER", "nobody")
    assert programs.find_postgres() == nowhere / "bin"
