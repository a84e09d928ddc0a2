"""What a stack was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan, runs_folder


def test_a_plan_survives_a_restart(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "stack")
    assert Plan.read(layout) is None
    plan = Plan("s3://a/bundle", "0.0.0.0", 8000, {"redis": 7}, ("mlflow",), "/runs")
    plan.write(layout)
    assert Plan.read(layout) == plan
    assert layout.directory.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),  # an address to listen on, not to open
        ("::", "http://127.0.0.1:8000"),
        ("::1", "http://[::1]:8000"),
        ("photos.example.org", "http://photos.example.org:8000"),
    ],
)
def test_the_address_can_be_opened_from_this_machine(host: str, url: str) -> None:
    assert Plan("b", host, 8000, {}).url == url


def test_the_run_of_a_bundle_is_the_folder_with_its_database(tmp_path: Path) -> None:
    bundle = tmp_path / "out" / "bundle"
    bundle.mkdir(parents=True)
    assert runs_folder(str(bundle)) == ""
    (tmp_path / "out" / "mlflow.db").touch()
    assert runs_folder(str(bundle)) == str(tmp_path / "out")
