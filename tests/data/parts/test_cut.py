from pathlib import Path

import pytest

from phytoflow.data.parts.cut import Survey
from tests.support.photo_folder import write

SIZES = [700, 10, 10, 300, 5, 0, 900, 40, 40, 95]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number, size in enumerate(SIZES):
        write(tmp_path / "photos" / f"{number % 2}" / f"{number}.jpg", bytes(size))
    write(tmp_path / "photos" / ".hidden" / "1", bytes(5000))
    return tmp_path / "photos"


def paths(survey: Survey, parts: int) -> list[list[str]]:
    return [[entry.path for entry in survey.part(number, parts)] for number in range(parts)]


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 16])
def test_each_entry_is_in_one_part_in_the_order_of_the_walk(root: Path, parts: int) -> None:
    survey = Survey.of(root)
    assert survey.bytes == sum(SIZES)  # hidden files are not read
    (whole,) = paths(survey, 1)
    assert [path for part in paths(survey, parts) for path in part] == whole
    assert [[entry.path for entry in part] for part in survey.parts(parts)] == paths(survey, parts)


def test_parts_have_about_the_same_bytes(root: Path) -> None:
    for number in range(10, 210):
        write(root / f"{number % 2}" / f"{number}.jpg", bytes(500 + number))
    survey = Survey.of(root)
    sizes = [
        sum((root / path).stat().st_size for path in part if path[0] != ".") for part in paths(survey, 4)
    ]
    assert max(sizes) - min(sizes) < 2000


def test_the_digest_changes_with_names_and_sizes(root: Path) -> None:
    first = Survey.of(root).digest
    assert Survey.of(root).digest == first
    write(root / "0" / "0.jpg", bytes(701))
    second = Survey.of(root).digest
    (root / "0" / "0.jpg").rename(root / "0" / "00.jpg")
    assert len({first, second, Survey.of(root).digest}) == 3


def test_files_without_content_are_in_one_part(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.jpg", b"")
    write(tmp_path / "a" / "2.jpg", b"")
    survey = Survey.of(tmp_path)
    assert paths(survey, 3) == [["a/1.jpg", "a/2.jpg"], [], []]
    assert [len(part) for part in survey.parts(3)] == [2, 0, 0]
