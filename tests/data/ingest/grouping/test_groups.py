from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phytoflow.data.ingest.grouping.groups import group_photos
from phytoflow.data.ingest.inspect import check
from phytoflow.data.settings import DataSettings
from phytoflow.errors import ConfigError, DataError, StorageError
from tests.support.photo_folder import encoded, make_folder, picture, write

NONE = np.empty((0, 2), np.int64)


def table_of(*paths: str) -> pd.DataFrame:
    table = pd.DataFrame({"path": paths, "sha256": [f"{n}" for n in range(len(paths))]})
    return table.assign(label=table["path"].str.partition("/")[0], thumbnail=bytes(768))


def grouped(table: pd.DataFrame, near: np.ndarray = NONE, **settings: object) -> list[str]:
    return group_photos(table, near, DataSettings(**settings)).to_list()


def test_without_any_hint_each_photo_is_its_own_group() -> None:
    assert grouped(table_of("a/1.jpg", "b/1.jpg")) == ["a/1.jpg", "b/1.jpg"]


def test_near_duplicates_chain_and_join_what_the_csv_names(tmp_path: Path) -> None:
    csv = tmp_path / "groups.csv"
    csv.write_text("path,group\na/1.jpg,plant 1\na/2.jpg,plant 1\nb/5.jpg,plant 2\n")
    table = table_of("a/1.jpg", "a/2.jpg", "a/3.jpg", "b/4.jpg", "b/5.jpg")
    assert grouped(table, groups_csv=str(csv)) == ["plant 1", "plant 1", "a/3.jpg", "b/4.jpg", "plant 2"]
    assert grouped(table, np.array([[1, 2], [2, 3]])) == ["a/1.jpg", *["a/2.jpg"] * 3, "b/5.jpg"]
    joined = grouped(table, np.array([[1, 2], [2, 3]]), groups_csv=str(csv))
    assert joined[:4] == [joined[0]] * 4 and joined[4] == "plant 2"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("file,group\na/1.jpg,x\n", "needs the columns path and group; it has file, group"),
        ("path,group\na/1.jpg,x,y\n", "line 2 has 3 columns, the header has 2"),
        ("path,group\na/9.jpg,x\n", "names 1 paths that are no readable photos: a/9.jpg"),
        ("path,group\na/1.jpg,x\na/1.jpg,y\n", "no group, or two, to 1 photos: a/1.jpg"),
        ("path,group\na/1.jpg,\n", "no group, or two, to 1 photos"),
        ("", "needs the columns path and group; it has none"),
        ("\x00\x01\xff", "columns|not a CSV file"),
    ],
)
def test_a_wrong_csv_is_refused(tmp_path: Path, content: str, message: str) -> None:
    csv = tmp_path / "groups.csv"
    csv.write_text(content, encoding="latin-1")
    with pytest.raises(DataError, match=message) as refusal:
        grouped(table_of("a/1.jpg"), groups_csv=str(csv))
    assert refusal.value.remedy


def test_a_csv_from_a_spreadsheet(tmp_path: Path) -> None:
    csv = tmp_path / "groups.csv"
    csv.write_bytes(b'\xef\xbb\xbf"path","group"\r\n"a/1, left.jpg","7"\r\n')
    assert grouped(table_of("a/1, left.jpg", "a/2.jpg"), groups_csv=str(csv)) == ["7", "a/2.jpg"]
    with pytest.raises(StorageError):
        grouped(table_of("a/1.jpg"), groups_csv=str(tmp_path / "none.csv"))


def test_a_pattern_names_the_thing_within_a_class() -> None:
    table = table_of("a/p1_1.jpg", "a/p1_2.jpg", "a/p2_1.jpg", "b/p1_1.jpg", "b/other.jpg")
    groups = grouped(table, group_pattern=r"^(p\d+)_")
    assert groups == ["a/p1", "a/p1", "a/p2", "b/p1", "b/other.jpg"]


def test_a_number_in_the_pattern_makes_runs() -> None:
    table = table_of(*[f"a/IMG_{n}.jpg" for n in (1, 2, 3, 9, 10)], "b/IMG_4.jpg")
    groups = grouped(table, group_pattern=r"IMG_(?P<number>\d+)", camera_number_gap=1)
    assert groups == ["a/1", "a/1", "a/1", "a/9", "a/9", "b/4"]
    assert len(set(grouped(table, group_pattern=r"IMG_(?P<number>\d+)", camera_number_gap=6))) == 2


def test_camera_numbers_group_what_the_csv_does_not_name(tmp_path: Path) -> None:
    csv = tmp_path / "groups.csv"
    csv.write_text("path,group\na/feedback-1.jpg,walk\na/feedback-2.jpg,walk\n")
    uuid = "0a1b2c3d-0000-4000-8000-0123456789ab"
    leaves = [f"a/{uuid}___RS_HL {number}.JPG" for number in (1, 2, 900)]
    groups = grouped(table_of("a/feedback-1.jpg", "a/feedback-2.jpg", *leaves), groups_csv=str(csv))
    assert groups == ["walk", "walk", *["a/RS_HL/1"] * 2, "a/RS_HL/900"]


@pytest.mark.parametrize(
    ("pattern", "error", "message"),
    [
        ("(", ConfigError, "no regular expression|not a regular expression"),
        (r"IMG_\d+", ConfigError, "has no group"),
        (r"(leaf\d+)", DataError, "matches none of the file names, such as 'IMG_1.jpg'"),
        (r"(?P<number>[A-Z]+)", ConfigError, "'number' is not a number in a/IMG_1.jpg"),
    ],
)
def test_a_wrong_pattern_is_refused(pattern: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        grouped(table_of("a/IMG_1.jpg"), group_pattern=pattern)


def test_an_excluded_copy_still_ties_its_groups_together(tmp_path: Path) -> None:
    """a/1 is kept, its copy a/9 is not; but a/9's plant, a/2, must not be in another split than a/1."""
    root = make_folder(tmp_path / "photos", {"a": 8, "b": 4})
    write(root / "a" / "9.jpg", (root / "a" / "1.jpg").read_bytes())
    csv = tmp_path / "groups.csv"
    csv.write_text("path,group\na/9.jpg,plant\na/2.jpg,plant\n")
    table = check(root, DataSettings(groups_csv=str(csv)), seed=0).table.set_index("path")
    assert table.loc["a/1.jpg", "group"] == table.loc["a/2.jpg", "group"] == "plant"
    assert table.loc["a/9.jpg", "split"] == "excluded"


def test_near_duplicates_never_straddle(tmp_path: Path) -> None:
    for label, first in (("a", 0), ("b", 50)):
        for seed in range(first, first + 12):
            for quality in (95, 70, 45):
                write(tmp_path / label / f"{quality}-{seed}.jpg", encoded(picture(seed), quality=quality))
    for seed in range(4):
        table = check(tmp_path, DataSettings(threads=1), seed=seed).table
        thing = table["path"].str.extract(r"-(\d+)")[0]
        assert table.groupby(thing)["split"].nunique().max() == 1
        assert table["group"].nunique() == 24
