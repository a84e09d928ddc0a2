from collections.abc import Callable
from math import comb
from pathlib import Path

import pytest

from phytoflow.errors import DataError
from phytoflow.evaluation.compare.bundles import lines, versus
from phytoflow.evaluation.compare.page import write_beside
from phytoflow.evaluation.compare.paired import mcnemar
from phytoflow.evaluation.settings import EvaluationSettings
from tests.evaluation.conftest import COLOURS

SETTINGS = EvaluationSettings(bootstrap_samples=200)


@pytest.fixture(scope="module")
def photos(colour_photo: Callable) -> list:
    return [colour_photo(colour, number) for colour in COLOURS for number in range(12)]


def test_a_bundle_that_confuses_two_classes_loses(
    colour_bundle: Callable, photos: list, tmp_path: Path
) -> None:
    good = colour_bundle(tmp_path / "good")
    bad = colour_bundle(tmp_path / "bad", confused=("red", "blue"))
    found = versus(bad, good, photos, SETTINGS, seed=0)
    assert (found.paired.only_champion, found.paired.only_challenger) == (0, 24)
    assert found.confusions == (("blue", "red", 12, 0), ("red", "blue", 12, 0))
    assert len(found.parted) == 24
    assert ("red/red-0.jpg", "red", "blue", "red") in found.parted
    assert "red taken for blue: 12 times by the first, 0 by the second" in lines(found)
    assert found.paired.champion == pytest.approx(1 / 3)
    assert found.paired.challenger == 1
    assert found.paired.p_value == pytest.approx(2 * 0.5**24)
    assert "second is better" in lines(found)[0]
    write_beside(found, (bad, good), photos, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<img") == 24
    assert page.count('src="data:image/jpeg') == 24
    assert "<td>red taken for blue</td><td>12</td><td>0</td>" in page
    assert "<td>33.3%" in page
    assert "http" not in page
    assert "first is better" in versus(good, bad, photos, SETTINGS, seed=0).verdict


def test_the_order_of_classes_does_not_matter(colour_bundle: Callable, photos: list, tmp_path: Path) -> None:
    one = colour_bundle(tmp_path / "one")
    other = colour_bundle(tmp_path / "other", classes=("blue", "red", "green"))
    found = versus(one, other, photos, SETTINGS, seed=0)
    assert found.paired.difference == 0
    assert found.paired.p_value == 1
    assert found.confusions == found.parted == ()
    assert "do not tell" in found.verdict


def test_other_classes_are_refused(colour_bundle: Callable, photos: list, tmp_path: Path) -> None:
    one, two = colour_bundle(tmp_path / "one"), colour_bundle(tmp_path / "two", classes=("red", "green"))
    with pytest.raises(DataError, match="only one has blue"):
        versus(one, two, photos, SETTINGS, seed=0)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(2, 8) == pytest.approx(2 * sum(comb(10, k) for k in range(3)) / 2**10)
    assert mcnemar(0, 0) == 1
