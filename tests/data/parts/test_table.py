import os
from pathlib import Path

import pandas as pd
import pytest

from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.scan import read_table
from phytoflow.data.ingest.walk import walk
from phytoflow.data.parts.table import PartInfo, read_info, read_part, write_part
from phytoflow.data.settings import DataSettings
from phytoflow.errors import StorageError
from tests.support.photo_folder import make_folder, write

INFO = PartInfo(number=1, parts=3, survey="s", version="v")
SETTINGS = DataSettings(threads=1)


def scan_all(root: Path) -> pd.DataFrame:
    labels = read_labels(root, SETTINGS, judge=False)
    return read_table(walk(root), labels, SETTINGS, labels.entries)


def test_rows_are_read_as_they_were(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", {"a": 3, "NA": 2})
    write(root / "a" / "bad.jpg", b"")
    write(root / os.fsdecode(b"a/caf\xe9.jpg"), (root / "a" / "1.jpg").read_bytes())  # no UTF-8
    table = scan_all(root)
    write_part(tmp_path / "part", table, INFO, root)
    assert read_info(tmp_path / "part") == INFO
    again = read_part(tmp_path / "part", root)
    pd.testing.assert_frame_equal(again, table)
    assert list(map(type, again.iloc[0])) == list(map(type, table.iloc[0]))


def test_a_part_without_rows_keeps_the_columns_types(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", {"a": 2})
    table = scan_all(root)
    write_part(tmp_path / "part", table[:0], INFO, root)
    assert list(read_part(tmp_path / "part", root).dtypes) == list(table.dtypes)


def test_photos_may_lie_elsewhere_when_it_is_read(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", {"a": 2})
    write_part(tmp_path / "part", scan_all(root), INFO, root)
    assert list(read_part(tmp_path / "part", "s3://bucket/set/")["file"]) == [
        "s3://bucket/set/a/0.jpg",
        "s3://bucket/set/a/1.jpg",
    ]
    assert read_part(tmp_path / "part", Path("/"))["file"][0] == "/a/0.jpg"


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", {"a": 4})
    for name in ("one", "two"):
        write_part(tmp_path / name, scan_all(root), INFO, root)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing else"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    write(tmp_path / "part", content)
    for read in (read_info, lambda file: read_part(file, tmp_path)):
        with pytest.raises(StorageError, match="part is not the table of a part"):
            read(tmp_path / "part")
