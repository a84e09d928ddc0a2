from pathlib import Path

import pytest

from phytoflow.data.ingest.labels_csv import labels_csv_uri, read_labels_csv
from phytoflow.errors import DataError

FILES = ["1.jpg", "2.jpg", "x/3.jpg"]


def read(
    tmp_path: Path, rows: str, files: list[str] | None = None
) -> tuple[dict[str, str], dict[str, object]]:
    (tmp_path / "labels.csv").write_text(f"path,label\n{rows}")
    labels, findings = read_labels_csv(str(tmp_path / "labels.csv"), FILES if files is None else files)
    return labels, {finding.kind: finding.files for finding in findings}


def test_each_photo_gets_its_label(tmp_path: Path) -> None:
    labels, findings = read(tmp_path, "1.jpg,rust\n2.jpg,a/b\nx/3.jpg,NA\n")
    assert labels == {"1.jpg": "rust", "2.jpg": "a/b", "x/3.jpg": "NA"}
    assert findings == {}


def test_rows_without_a_file_and_repeated_rows_are_named_by_line(tmp_path: Path) -> None:
    labels, findings = read(tmp_path, "1.jpg,rust\ngone.jpg,rust\n2.jpg,scab\n1.jpg,rust\n")
    assert labels == {"1.jpg": "rust", "2.jpg": "scab"}
    assert findings == {
        "labelled file missing": ("gone.jpg (line 3)",),
        "repeated label": ("1.jpg (line 5)",),
    }


def test_further_columns_are_noted(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,label,weather\n1.jpg,rust,wet\n")
    _, (finding,) = read_labels_csv(str(tmp_path / "labels.csv"), FILES)
    assert (finding.kind, finding.files) == ("unused column", ("weather",))


@pytest.mark.parametrize(
    ("rows", "message", "remedy"),
    [
        ("", "has a header and no rows", "one row a photo"),
        ("1.jpg,\n2.jpg,rust\n,rust\n", "path or the label empty in 2 rows: line 2, line 4", "fill them in"),
        ("1.jpg,rust\n1.jpg,scab\n", r"1 photos several labels: 1.jpg \(rust and scab\)", "keep the row"),
        ("a/1.jpg,rust\n", "names none of the 3 files in the folder: it has a/1.jpg", "e.g. 1.jpg"),
        (
            "1.jpg,rust|scab\n2.jpg,rust\n",
            r"several labels in one cell in 1 rows: 'rust\|scab' \(line 2\)",
            "one label",
        ),
        ("1.jpg,rust scab\n2.jpg,rust\nx/3.jpg,scab\n", "multi-label data set", "one label"),
        ("1.jpg,rust;scab\n2.jpg,scab;mould\n", "multi-label data set", "one label"),
        ("1.jpg,rust+scab\n2.jpg,rust\nx/3.jpg,scab\n", "multi-label data set", "one label"),
        ("1.jpg,\"['rust', 'scab']\"\n2.jpg,rust\n", "multi-label data set", "each combination a class"),
    ],
)
def test_what_gives_no_photo_one_label_is_refused(
    tmp_path: Path, rows: str, message: str, remedy: str
) -> None:
    with pytest.raises(DataError, match=message) as refusal:
        read(tmp_path, rows)
    assert remedy in refusal.value.remedy


@pytest.mark.parametrize("label", ["black rot", "rust, early", "a|b", "spots; small", "rust/b", "rust + x"])
def test_a_label_of_several_words_is_one_label(tmp_path: Path, label: str) -> None:
    labels, _ = read(tmp_path, f'1.jpg,"{label}"\n2.jpg,rust\n')
    assert labels["1.jpg"] == label


def test_a_relative_path_is_one_below_the_photos(tmp_path: Path) -> None:
    assert labels_csv_uri(tmp_path, "labels.csv") == str(tmp_path / "labels.csv")
    assert labels_csv_uri(tmp_path, "/elsewhere/labels.csv") == "/elsewhere/labels.csv"
    assert labels_csv_uri(tmp_path, "s3://bucket/labels.csv") == "s3://bucket/labels.csv"
