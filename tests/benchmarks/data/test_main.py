from pathlib import Path

import pytest

from benchmarks.data.__main__ import measure_one
from tests.support.photo_folder import encoded, make_folder, picture, write


def cells_of(output: str) -> list[str]:
    return [cell.strip() for cell in output.strip().strip("|").split("|")]


def test_planted_pairs_are_found_and_the_same_as_by_comparing_all(capsys: pytest.CaptureFixture[str]) -> None:
    measure_one("5000")
    rows, planted, found, pairs, _, _, _, same = cells_of(capsys.readouterr().out)
    assert (rows, planted, found, pairs, same) == ("5,000", "50", "100.00%", "50", "yes")


def test_photos_of_a_folder_are_searched_and_many_rows_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_folder(tmp_path, {"a": 5})
    write(tmp_path / "b" / "copy.png", encoded(picture(1000), "PNG"))
    measure_one(str(tmp_path), compare_up_to=5)
    rows, planted, found, pairs, *_, seconds, same = cells_of(capsys.readouterr().out)
    assert (rows, planted, found, pairs, seconds, same) == ("6", "0", "", "1", "", "")
