from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from phytoflow.data.ingest.grouping.camera_runs import MAX_RUN, PLANTVILLAGE, cut_runs, is_plantvillage
from phytoflow.data.ingest.inspect import check
from phytoflow.data.settings import DataSettings

UUID = "00075aa8-d81a-4184-8541-b692b78d398a"


def thumbnail(colour: str) -> bytes:
    return Image.new("RGB", (16, 16), colour).tobytes()


@pytest.mark.parametrize(
    ("name", "series", "number"),
    [
        (f"{UUID}___FREC_Scab 3349.JPG", "FREC_Scab", "3349"),
        (f"{UUID}___RS_HL_5672_final_masked.jpg", "RS_HL", "5672"),
        (f"{UUID}___RS_HL 7708_flipLR.JPG", "RS_HL", "7708"),
        (f"{UUID}___RS_HL 7708_270deg.JPG", "RS_HL", "7708"),
        (f"{UUID}___GHLB2 Leaf 9017.JPG", "GHLB2 Leaf", "9017"),
        (f"{UUID}___GH_HL Leaf 259.1.JPG", "GH_HL Leaf", "259"),
        (f"{UUID}___UF.GRC_YLCV_Lab 02735.JPG", "UF.GRC_YLCV_Lab", "02735"),
    ],
)
def test_plantvillage_names(name: str, series: str, number: str) -> None:
    match = PLANTVILLAGE.match(name)
    assert match and (match["series"], match["number"]) == (series, number)
    assert is_plantvillage(pd.Series([f"a/{name}", f"b/{name}", "c/IMG_1.jpg"]))
    assert not is_plantvillage(pd.Series([f"a/{name}", "b/IMG_2.jpg", "c/IMG_1.jpg"]))


def test_plantvillage_is_known_by_most_of_the_names() -> None:
    name = f"apple/{'0' * 8}-0000-0000-0000-{'0' * 12}___FREC_Scab 3349.JPG"
    assert is_plantvillage(pd.Series([name, name, "apple/1.jpg"]))
    assert not is_plantvillage(pd.Series([name, "apple/1.jpg"]))
    assert not is_plantvillage(pd.Series([], dtype=str))  # every photo has a group of the user's


def test_runs_end_at_gaps() -> None:
    numbers = np.array([10, 3, 1, 2, 11, 30])
    pieces = cut_runs(numbers, [thumbnail("green")] * 6, gap=1)
    assert [sorted(numbers[piece]) for piece in pieces] == [[1, 2, 3], [10, 11], [30]]
    assert [sorted(numbers[piece]) for piece in cut_runs(numbers, [thumbnail("green")] * 6, gap=20)] == [
        [1, 2, 3, 10, 11, 30]
    ]


def test_long_runs_are_cut_where_the_leaf_changes() -> None:
    leaves = ["green"] * 7 + ["olive"] * 9 + ["darkorange"] * 5 + ["gold"] * 8
    pieces = cut_runs(np.arange(29), [thumbnail(colour) for colour in leaves], gap=1)
    assert sorted(map(len, pieces)) == [5, 7, 8, 9]
    assert all(len({leaves[at] for at in piece}) == 1 for piece in pieces)


def test_one_shot_in_another_light_is_no_new_leaf() -> None:
    leaves = ["green"] * 4 + ["gold"] + ["green"] * 4 + ["maroon"] * 6
    pieces = cut_runs(np.arange(15), [thumbnail(colour) for colour in leaves], gap=1)
    assert sorted(sorted(piece) for piece in pieces) == [list(range(9)), list(range(9, 15))]


def test_an_endless_run_of_one_look_is_cut_and_copies_stay_together() -> None:
    pieces = cut_runs(np.repeat(np.arange(200), 2), [thumbnail("green")] * 400, gap=1)
    assert min(map(len, pieces)) >= 3 and max(map(len, pieces)) <= MAX_RUN
    of = {int(at): group for group, piece in enumerate(pieces) for at in piece}
    assert all(of[2 * shot] == of[2 * shot + 1] for shot in range(200))


def test_the_apple_leaves(real_photos: Path) -> None:
    checked = check(real_photos / "plantvillage-apple", DataSettings(), seed=0)
    used = checked.table[checked.table["split"] != "excluded"]
    sizes = used.groupby("group").size()
    assert sizes.max() <= 3 * MAX_RUN
    assert used.groupby("label")["group"].nunique().min() > 25
    assert used.groupby("group")["split"].nunique().max() == 1
    shares = pd.crosstab(used["label"], used["split"], normalize="index")
    assert np.allclose(shares[["train", "validation", "test"]], [0.7, 0.1, 0.2], atol=0.02)
    exact = checked.findings.of("exact duplicate")
    assert exact and exact.count == 7
