"""Names that break URLs, tables, pages and labels come unchanged through every step of a run."""

from __future__ import annotations

import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from mlflow import MlflowClient

from phytoflow.data.synthetic.dataset import CLASSES, make_synthetic_dataset
from phytoflow.tracking.store_uri import store_uri

pytestmark = pytest.mark.timeout(900)
NAMES = ("NA", "-1", "健康 🌿", "a/b", """Löwenzahn #1 <b>&"q'""")
SETTINGS = [
    "preset=fast",
    "evaluation.bootstrap_samples=200",
    "gate.min_accuracy=0.1",
    "gate.min_macro_f1=0.1",
    "gate.max_latency_ms=1000",
]


def phytoflow(*words: object) -> str:
    command = [sys.executable, "-m", "phytoflow.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The output folder of a run that has published such classes."""
    folder = tmp_path_factory.mktemp("data 100%")
    output = folder / "out ?#1 ü%"
    photos = make_synthetic_dataset(folder / "photos", photos_per_class=12, seed=4)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label"])
        for photo in sorted(photos.rglob("*.jpg")):
            table.writerow([photo.relative_to(photos), NAMES[CLASSES.index(photo.parent.name)]])
    words = [*SETTINGS, f"data.labels_csv={folder / 'labels.csv'}"]
    options = [part for word in words for part in ("--set", word)]
    phytoflow("run", "--data", photos, "--output", output, *options)
    yield output
    phytoflow("stop", "--output", output)


@pytest.fixture(scope="module")
def url(output: Path) -> str:
    return f"http://127.0.0.1:{json.loads((output / 'predictor.json').read_text())['http_port']}"


def test_answers_name_the_classes(output: Path, url: str) -> None:
    photos = output.parent / "photos"
    lines = phytoflow("predict", photos, "--url", url, "--json", "--top-k", 5).splitlines()
    answers = [json.loads(line) for line in lines]
    assert len(answers) == 60
    assert all(set(answer["labels"]) == set(NAMES) for answer in answers)


def test_a_file_whose_name_is_no_utf8_is_answered(output: Path, url: str, tmp_path: Path) -> None:
    photo = next((output.parent / "photos" / "rust").iterdir())
    shutil.copy(photo, Path(os.fsdecode(os.fsencode(tmp_path) + b"/rust-\xff.jpg")))
    (line,) = phytoflow("predict", tmp_path, "--url", url, "--json").splitlines()
    answer = json.loads(line)
    assert "rust-" in answer["path"] and answer["labels"][0] in NAMES


def test_prometheus_counts_them(url: str) -> None:
    text = httpx.get(f"{url}/metrics").text
    series = re.compile(r'^predictions_total\{.*?class="((?:[^"\\]|\\.)*)"', re.MULTILINE)
    labels = set(series.findall(text))
    assert {label.replace('\\"', '"').replace("\\\\", "\\") for label in labels} <= set(NAMES)
    assert labels


def test_the_figures_and_the_report_name_them(output: Path) -> None:
    assert set(json.loads((output / "metrics.json").read_text())["per_class"]) == set(NAMES)
    report = (output / "report.html").read_text()
    assert "<b>&" not in report
    for name in NAMES:
        assert name in html.unescape(report), name


def test_the_registry_holds_the_version(output: Path) -> None:
    models = MlflowClient(store_uri(output)).search_registered_models()
    assert [model.aliases for model in models] == [{"challenger": 1, "champion": 1}]
