"""The tutorial as a newcomer types it: each page from top to bottom, in one shell and one folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from phytoflow.system.ports import free_port
from tests.support.documents import blocks_of

PAGES = ["first-model", "your-photos", "correct-and-retrain"]
_REST, _GRPC = "8080", "8081"
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("tutorial")
    yield folder
    for output in folder.glob("*/predictor.json"):
        subprocess.run(
            [sys.executable, "-m", "phytoflow.cli", "stop", "--output", output.parent], check=False
        )


@pytest.fixture(scope="module")
def outputs(folder: Path) -> dict[str, str]:
    """What each page prints."""
    return {page: follow(page, folder) for page in PAGES}


def follow(page: str, folder: Path) -> str:
    """Executes all blocks of a page with the environment activated, on ports that are free here."""
    code = "".join(block.code for block in blocks_of("tutorial") if block.page == f"docs/tutorial/{page}.md")
    assert code, page
    rest, grpc = str(free_port()), str(free_port())
    serve = "phytoflow serve"
    code = code.replace(serve, f"{serve} --http_port {rest} --grpc_port {grpc}").replace(
        f":{_REST}", f":{rest}"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", f"set -m\n{code}"],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{page}\n{code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_first_model_answers(outputs: dict[str, str], folder: Path) -> None:
    assert "macro-F1" in outputs["first-model"] and "rust-0001.jpg: " in outputs["first-model"]
    assert (folder / "out" / "report.html").stat().st_size > 100_000
    with (folder / "scab.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40 and sum(row["label"] == "scab" for row in rows) > 30
    assert Image.open(folder / "heat.png").size == (672, 672)


def test_own_photos_are_checked_trained_and_served(outputs: dict[str, str], folder: Path) -> None:
    assert "120 of 120 files are used, in 5 classes" in outputs["your-photos"]
    assert (folder / "found" / "data.html").exists() and (
        folder / "first" / "bundle" / "bundle.json"
    ).exists()
    assert "photos/rust/rust-0001.jpg: " in outputs["your-photos"]


def test_two_models_are_compared_and_shared(outputs: dict[str, str], folder: Path) -> None:
    assert (folder / "comparison.html").exists()
    assert outputs["correct-and-retrain"].count('"labels"') == 4
    assert (folder / "leaf-model.tar.gz").stat().st_size > 1_000_000
