"""`phytoflow predict` and `explain` as commands, against a bundle and against the real predictor."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.make_bundle import CLASSES, pictures
from tests.support.services.servers import Server, running


def phytoflow(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "phytoflow.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": "", **environment})


@pytest.fixture(scope="module")
def server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(bundle, tmp_path_factory.mktemp("server") / "log") as made:
        yield made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, photo in enumerate(pictures(3)):
        (folder / f"{number}{Path(photo.path).suffix}").write_bytes(photo.content)
    return folder


def test_both_ways_print_the_same(photos: Path, bundle: Path, server: Server) -> None:
    offline = phytoflow("predict", photos, "--bundle", bundle, "--top-k", 20)
    online = phytoflow("predict", photos, "--url", server.url.removeprefix("http://"), "--top-k", 20)
    assert offline.returncode == online.returncode == 0, offline.stderr + online.stderr
    assert offline.stdout == online.stdout
    for line in offline.stdout.splitlines():
        assert all(name in line for name in CLASSES)


def test_a_proxy_of_the_environment_is_not_asked(photos: Path, server: Server) -> None:
    proxies = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    done = phytoflow("predict", photos, "--url", server.url, **proxies)
    assert done.returncode == 0, done.stderr


def test_results_go_to_a_file(photos: Path, bundle: Path, tmp_path: Path) -> None:
    (photos / "broken.jpg").write_bytes(b"not a photo")
    done = phytoflow("predict", photos, "--bundle", bundle, "--output", tmp_path / "p.csv")
    assert done.returncode == 3 and "broken.jpg" in done.stderr and done.stdout.startswith("4 photos: ")
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["path"]).name for row in rows] == ["0.jpeg", "1.png", "2.jpeg", "broken.jpg"]
    assert {row["label"] for row in rows[:3]} <= set(CLASSES) and rows[3]["error"]


def test_the_format_is_checked_before_the_bundle_is_opened(photos: Path) -> None:
    done = phytoflow("predict", photos, "--bundle", "missing", "--output", "p.xlsx")
    assert done.returncode == 2 and "which format to write" in done.stderr


def test_json_of_a_name_that_is_no_text(photos: Path, bundle: Path) -> None:
    raw = bytes(photos) + b"/b\xffd.jpg"
    Path(raw.decode("utf-8", "surrogateescape")).write_bytes(pictures(1)[0].content)
    done = phytoflow("predict", photos, "--bundle", bundle, "--json")
    paths = [json.loads(line)["path"] for line in done.stdout.splitlines()]
    assert done.returncode == 0 and rf"{photos}/b\xffd.jpg" in paths


def test_a_heat_map_is_the_same_both_ways(photos: Path, bundle: Path, server: Server, tmp_path: Path) -> None:
    common = ["explain", photos / "0.jpeg", "--class", "rust", "--output"]
    offline = phytoflow(*common, tmp_path / "a.png", "--bundle", bundle)
    online = phytoflow(*common, tmp_path / "b.png", "--url", server.url)
    assert offline.returncode == online.returncode == 0, offline.stderr + online.stderr
    assert "evidence for rust" in offline.stdout
    first, second = (np.asarray(Image.open(tmp_path / name), np.int16) for name in ("a.png", "b.png"))
    assert np.abs(first - second).mean() < 8  # the predictor sends 28 x 28 values of 64 x 64


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["predict", "x.jpg"], 2, "give either --url or --bundle"),
        (["predict", "x.jpg", "--url", "ftp://x"], 2, "no address of a predictor"),
        (["explain", "x.jpg", "--bundle", "b", "--output", "heat.jpg"], 2, "end it with .png"),
    ],
)
def test_wrong_arguments_are_explained(arguments: list[str], code: int, words: str) -> None:
    done = phytoflow(*arguments)
    assert done.returncode == code and words in done.stderr and "Traceback" not in done.stderr
