import codecs
from pathlib import Path

import pytest

from phytoflow.data.ingest.path_table import Row, match_paths, read_path_table
from phytoflow.errors import DataError, StorageError

ROWS = [Row(2, "a/1.jpg", "rust"), Row(3, "b/2.jpg", "healthy, mostly")]


def written(tmp_path: Path, content: str | bytes) -> str:
    file = tmp_path / "labels.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(file)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_ends_of_lines(tmp_path: Path, delimiter: str, end: str) -> None:
    lines = [["path", "label"], ["a/1.jpg", "rust"], ["b/2.jpg", '"healthy, mostly"']]
    text = end.join(delimiter.join(cells) for cells in lines) + end
    assert read_path_table(written(tmp_path, text), "label").rows == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_that_excel_writes(tmp_path: Path, encoding: str) -> None:
    content = 'path;label\nLöwen/1.jpg;"健康 🌿"\n'.encode(encoding)
    assert read_path_table(written(tmp_path, content), "label").rows == [Row(2, "Löwen/1.jpg", "健康 🌿")]


def test_values_that_pandas_would_read_as_something_else(tmp_path: Path) -> None:
    names = ["NA", "-1", "null", "1e5", "007", "True", "a/b", 'Löwenzahn #1 <b>&""q\'']
    text = "path,label\n" + "".join(f'{at}.jpg,"{name}"\n' for at, name in enumerate(names))
    values = [row.value for row in read_path_table(written(tmp_path, text), "label").rows]
    assert values == [name.replace('""', '"') for name in names]


def test_headers_spaces_blank_lines_and_windows_paths(tmp_path: Path) -> None:
    text = " Path , Label , split \n\n.\\a\\1.jpg , rust , train\n   \n./b/2.jpg,rust,test\n"
    table = read_path_table(written(tmp_path, text), "label")
    assert table.rows == [Row(3, "a/1.jpg", "rust"), Row(5, "b/2.jpg", "rust")]
    assert table.columns == ["path", "label", "split"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "needs the columns path and label; it has none"),
        (
            "image_id,healthy,rust\n1,0,1\n",
            "needs the columns path and label; it has image_id, healthy, rust",
        ),
        ("path,label,Label\na.jpg,rust,scab\n", "has the column label 2 times"),
        ("path,label\na.jpg,rust,early\n", "line 2 has 3 columns, the header has 2"),
        ("path,label\na.jpg\n", "line 2 has 1 columns, the header has 2"),
        ('path,label\na.jpg,"rust\n', "line 2: unexpected end of data"),
        (b"path,label\na.jpg,rust\nb.jpg,L\xf6wenzahn\n", "is not UTF-8 text: line 3 holds other bytes"),
        (b"path,label\n\0\0", "holds zero bytes"),
        (b"x" * 200_000, "is not a CSV file: field larger than field limit"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "is not UTF-8 text"),
    ],
)
def test_what_is_no_such_file_is_refused_by_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as refusal:
        read_path_table(written(tmp_path, content), "label")
    assert refusal.value.remedy and "labels.csv" in refusal.value.message


@pytest.mark.parametrize("text", ["path,rust,scab\n1.jpg,0,1\n", "id;a;b\r\n1;True;False\r\n"])
def test_a_column_for_each_class_is_named_as_such(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError) as refusal:
        read_path_table(written(tmp_path, text), "label")
    assert "a column of zeros and ones for each label is not read" in refusal.value.remedy


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot read .*none\.csv"):
        read_path_table(str(tmp_path / "none.csv"), "label")


def test_paths_match_in_any_unicode_form() -> None:
    rows = [Row(2, "Lo\u0308wen/1.jpg", "a"), Row(3, "b/2.jpg", "b"), Row(4, "none.jpg", "c")]
    matched = match_paths(rows, ["L\u00f6wen/1.jpg", "b/2.jpg"])
    assert matched == {"Lo\u0308wen/1.jpg": "L\u00f6wen/1.jpg", "b/2.jpg": "b/2.jpg"}


def test_an_exact_match_comes_first() -> None:
    forms = ["L\u00f6wen.jpg", "Lo\u0308wen.jpg"]
    assert match_paths([Row(2, form, "x") for form in forms], forms) == dict(zip(forms, forms, strict=True))
