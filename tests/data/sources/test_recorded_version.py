"""Which photos were last trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.data.sources.recorded_version import read_recorded_version, record_version
from tests.support.services.object_store import object_store


def test_a_version_is_recorded_in_a_file(tmp_path: Path) -> None:
    uri = str(tmp_path / "state" / "version")
    assert read_recorded_version(uri) == ""
    for version in ("abc", "def"):
        record_version(version, uri)
        assert read_recorded_version(uri) == version


def test_a_version_is_recorded_in_an_object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").mkdir()
    with object_store(tmp_path, monkeypatch):
        assert read_recorded_version("s3://state/leaves/version") == ""
        record_version("abc", "s3://state/leaves/version")
        assert read_recorded_version("s3://state/leaves/version") == "abc"
