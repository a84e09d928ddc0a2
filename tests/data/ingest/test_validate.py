import pandas as pd
import pytest

from phytoflow.data.ingest.validate import (
    exclude_duplicates,
    in_words,
    kind_of,
    leak_reason,
    partner_of,
    require_trainable,
)
from phytoflow.errors import DataError


def table_of(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """One file a row: path, sha256 and reason; a path is PART/LABEL/NAME or LABEL/NAME."""
    table = pd.DataFrame(rows, columns=["path", "sha256", "reason"])
    folders = table["path"].str.split("/")
    table["label"], table["part"] = folders.str[-2], folders.str[-3].fillna("")
    return table.assign(files=1, skipped=table["reason"] == "not a photo")


def test_of_copies_the_first_is_used() -> None:
    table = exclude_duplicates(
        table_of(("a/1", "x", ""), ("a/2", "x", ""), ("a/3", "x", ""), ("a/4", "y", ""))
    )
    assert table["reason"].to_list() == ["", "duplicate of a/1", "duplicate of a/1", ""]


def test_a_content_of_two_classes_is_used_in_neither_and_each_names_the_other() -> None:
    table = exclude_duplicates(
        table_of(("a/1", "x", ""), ("a/2", "x", ""), ("b/3", "x", ""), ("b/4", "y", ""))
    )
    assert table["reason"].to_list() == [
        "the same content as b/3, which is labelled b",
        "the same content as b/3, which is labelled b",
        "the same content as a/1, which is labelled a",
        "",
    ]


def test_files_that_are_not_used_are_no_copies() -> None:
    table = exclude_duplicates(table_of(("a/1", "x", "truncated"), ("a/2", "x", ""), ("b/3", "", "empty")))
    assert table["reason"].to_list() == ["truncated", "", "empty"]


def test_copies_in_two_parts_are_left_to_the_leak_check() -> None:
    rows = [("test/a/1", "x", ""), ("train/a/2", "x", ""), ("train/a/3", "x", "")]
    assert exclude_duplicates(table_of(*rows))["reason"].to_list() == ["", "", "duplicate of train/a/2"]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("duplicate of a/1.jpg", "exact duplicate"),
        ("the same content as a/1.jpg, which is labelled a", "label conflict"),
        (leak_reason("test/a/1.jpg"), "in two parts of the split"),
        ("unreadable: Permission denied", "unreadable"),
        ("too_many_bytes", "too_many_bytes"),
    ],
)
def test_the_kind_of_a_reason(reason: str, kind: str) -> None:
    assert kind_of(reason) == kind


def test_the_other_file_of_a_reason_and_a_kind_in_words() -> None:
    assert partner_of("duplicate of a/1.jpg") == partner_of(leak_reason("a/1.jpg")) == "a/1.jpg"
    assert in_words("too_many_bytes") == "too many bytes"


def test_two_classes_with_usable_photos_pass() -> None:
    require_trainable(table_of(("a/1", "", ""), ("b/2", "", ""), ("b/3", "", "truncated")), "photos")


def test_a_folder_of_other_files_is_no_spoilt_class() -> None:
    require_trainable(table_of(("a/1", "", ""), ("b/2", "", ""), ("docs/3", "", "not a photo")), "photos")


@pytest.mark.parametrize(
    ("rows", "message", "remedy"),
    [
        (
            [("a/1", "", "empty"), ("a/2", "", "empty")],
            r"none of the 2 files in photos .* 2 empty \(a/1, a/2\)",
            "open",
        ),
        (
            [("a/1", "", ""), ("b/1", "", "too_small")],
            r"class b in photos .* 1 too small \(b/1\)",
            "data.min_side",
        ),
        (
            [("a/1", "", ""), ("a/2", "", "")],
            "one class only in photos, a",
            "a folder with photos of another class",
        ),
        ([("s/a/1", "", ""), ("s/b/2", "", "")], "", "a, b are the classes, give photos/s"),
    ],
)
def test_what_makes_no_classifier_is_refused(
    rows: list[tuple[str, str, str]], message: str, remedy: str
) -> None:
    table = table_of(*rows)
    if "s/a/1" in set(table["path"]):
        table["label"] = "s"
    with pytest.raises(DataError, match=message) as refusal:
        require_trainable(table, "photos")
    assert remedy in refusal.value.remedy


def test_one_class_in_a_file_of_labels_is_mended_there() -> None:
    with pytest.raises(DataError, match="one class only") as refusal:
        require_trainable(table_of(("a/1", "", ""), ("a/2", "", "")), "photos", "labels.csv")
    assert refusal.value.remedy == "give photos of another class their label in labels.csv"
