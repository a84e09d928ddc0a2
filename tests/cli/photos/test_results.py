"""Results in every format, with names and classes that are easily damaged."""

import csv
import json
from pathlib import Path

import pandas as pd
import pytest

from phytoflow.cli.photos.results import WRITERS, PhotoResult, check_output, write_results
from phytoflow.errors import ConfigError, StorageError

NAMES = ["NA", "-1", "健康 🌿", "a/b", "Löwenzahn #1 <b>&\"q'", "x,y\nz"]
RESULTS = [
    PhotoResult("1.jpg", NAMES[:3], (0.5, 0.3, 0.2), True, 0.25),
    PhotoResult("2.jpg", NAMES[3:], (0.6, 0.3, 0.1), False, 1.75),
    PhotoResult(r"b\xffd.jpg", error="truncated image data"),
]
RECORDS = [
    {"path": "1.jpg", "labels": NAMES[:3], "scores": [0.5, 0.3, 0.2], "known": True, "novelty": 0.25},
    {"path": "2.jpg", "labels": NAMES[3:], "scores": [0.6, 0.3, 0.1], "known": False, "novelty": 1.75},
    {"path": r"b\xffd.jpg", "error": "truncated image data"},
]


def test_json_holds_every_name(tmp_path: Path) -> None:
    write_results(tmp_path / "a.json", RESULTS)
    assert json.loads((tmp_path / "a.json").read_text()) == RECORDS
    assert "健康" in (tmp_path / "a.json").read_text()  # readable without a decoder


def test_json_lines_are_lines(tmp_path: Path) -> None:
    write_results(tmp_path / "a.JSONL", RESULTS)
    lines = (tmp_path / "a.JSONL").read_text().split("\n")
    assert [json.loads(line) for line in lines[:-1]] == RECORDS and lines[-1] == ""


def test_csv_has_a_column_for_each_rank(tmp_path: Path) -> None:
    write_results(tmp_path / "a.csv", RESULTS)
    with (tmp_path / "a.csv").open(newline="") as file:
        first, second, third = csv.DictReader(file)
    assert [first["label"], first["label_2"], first["label_3"]] == NAMES[:3]
    assert [second["label"], second["label_2"], second["label_3"]] == NAMES[3:]
    assert (first["score"], first["known"], first["novelty"]) == ("0.5", "true", "0.25")
    assert (third["label"], third["known"], third["error"]) == ("", "", "truncated image data")


def test_pandas_reads_the_csv(tmp_path: Path) -> None:
    write_results(tmp_path / "a.csv", RESULTS)
    table = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert table["label"].tolist() == ["NA", "a/b", ""]


def test_no_results_leave_a_header(tmp_path: Path) -> None:
    write_results(tmp_path / "a.csv", [])
    assert (tmp_path / "a.csv").read_text().strip() == "path,label,score,known,novelty,error"


def test_a_file_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("before")
    with pytest.raises(StorageError, match=r"a\.csv"):
        write_results(tmp_path / "a.csv" / "b.csv", RESULTS)
    assert (tmp_path / "a.csv").read_text() == "before"


@pytest.mark.parametrize("name", ["a.txt", "a", "csv"])
def test_a_suffix_without_a_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which format") as caught:
        check_output(tmp_path / name, WRITERS)
    assert ".csv or .jsonl or .json" in caught.value.remedy


def test_a_folder_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ConfigError, match="is a folder"):
        check_output(tmp_path / "a.csv", WRITERS)


def test_lines_are_for_people() -> None:
    lines = [result.to_line() for result in RESULTS]
    assert lines[0] == "1.jpg: NA 50.0%, -1 30.0%, 健康 🌿 20.0%"
    assert lines[1].startswith("2.jpg: unknown, unlike the training photos (novelty 1.8; else a/b 60.0%")
    assert lines[2] == r"b\xffd.jpg: truncated image data"
