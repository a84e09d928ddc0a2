from pathlib import Path

import pandas as pd

from phytoflow.data.ingest.inspect import check
from phytoflow.data.settings import DataSettings
from tests.support.photo_folder import encoded, make_folder, picture, write

SETTINGS = DataSettings(threads=1)


def test_every_file_has_a_group_a_split_and_a_reason_or_none(tmp_path: Path) -> None:
    make_folder(tmp_path, {"healthy": 6, "rust": 6})
    write(tmp_path / "rust" / "again.jpg", encoded(picture(1000 + 6), quality=60))
    write(tmp_path / "rust" / "empty.jpg", b"")
    checked = check(tmp_path, SETTINGS, seed=0)
    table = checked.table.set_index("path")
    assert table.loc["rust/again.jpg", "group"] == table.loc["rust/0.jpg", "group"] == "rust/0.jpg"
    assert table.loc["rust/again.jpg", "split"] == table.loc["rust/0.jpg", "split"]
    assert table.loc["rust/empty.jpg", ["group", "split", "reason"]].to_list() == ["", "excluded", "empty"]
    assert set(table["split"]) == {"train", "validation", "test", "excluded"}
    assert [set(checked.table["path"][list(pair)]) for pair in checked.near] == [
        {"rust/0.jpg", "rust/again.jpg"}
    ]
    assert checked.findings.used == 13


def test_the_same_seed_gives_the_same_split(tmp_path: Path) -> None:
    make_folder(tmp_path, {"healthy": 12, "rust": 12})
    splits = [check(tmp_path, SETTINGS, seed).table["split"] for seed in (0, 0, 1)]
    pd.testing.assert_series_equal(splits[0], splits[1])
    assert not splits[0].equals(splits[2])


def test_a_given_split_is_used_without_the_photos_that_repeat_in_the_test(tmp_path: Path) -> None:
    for number, part in enumerate(("train", "valid", "test")):
        make_folder(tmp_path / part, {"healthy": 4, "rust": 4}, first_seed=100 * number)
    write(tmp_path / "train" / "rust" / "leak.jpg", encoded(picture(204), quality=50))
    checked = check(tmp_path, SETTINGS, seed=0)
    table = checked.table.set_index("path")
    assert table.loc["train/rust/leak.jpg", ["split", "reason"]].to_list() == [
        "excluded",
        "shows the same as test/rust/0.jpg",
    ]
    given = checked.findings.of("given split")
    assert given and given.files == ("train: 8", "validation: 8", "test: 8")
    used = table[table["reason"] == ""]
    part = used.index.str.partition("/").get_level_values(0)
    assert (used["split"] == part.map({"train": "train", "valid": "validation", "test": "test"})).all()


def test_labels_come_from_a_csv_file(tmp_path: Path) -> None:
    make_folder(tmp_path, {"mixed": 8})
    rows = "".join(f"mixed/{n}.jpg;{'NA' if n % 2 else 'healthy'}\n" for n in range(8))
    write(tmp_path / "labels.csv", f"path;label\n{rows}".encode())
    checked = check(tmp_path, DataSettings(threads=1, labels_csv="labels.csv"), seed=0)
    assert checked.findings.classes == {"NA": 4, "healthy": 4}
