import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.errors import DataError
from phytoflow.evaluation.compare.bundles import compare_bundles, describe_comparison
from phytoflow.evaluation.settings import EvaluationSettings
from tests.support.colour_bundle import COLOURS

SETTINGS = EvaluationSettings(bootstrap_samples=200)


@pytest.fixture(scope="module")
def photos(colour_photo: Callable) -> list:
    return [colour_photo(colour, number) for colour in COLOURS for number in range(12)]


def test_a_bundle_that_confuses_two_classes_loses(
    colour_bundle: Callable, photos: list, tmp_path: Path
) -> None:
    good = colour_bundle(tmp_path / "good")
    bad = colour_bundle(tmp_path / "bad", confused=("red", "blue"))
    found = compare_bundles(bad, good, photos, SETTINGS, seed=0)
    assert (found.paired.only_first, found.paired.only_second) == (0, 24)
    assert found.confusions == (("blue", "red", 12, 0), ("red", "blue", 12, 0))
    assert len(found.disagreements) == 24
    assert ("red/red-0.jpg", "red", "blue", "red") in found.disagreements
    assert "red taken for blue: 12 times by the first, 0 by the second" in describe_comparison(found)
    assert found.paired.first == pytest.approx(1 / 3)
    assert found.paired.second == 1
    assert found.paired.p_value == pytest.approx(2 * 0.5**24)
    assert "second is significantly better" in describe_comparison(found)[0]
    assert "first is significantly better" in compare_bundles(good, bad, photos, SETTINGS, seed=0).headline


def test_the_order_of_classes_does_not_matter(colour_bundle: Callable, photos: list, tmp_path: Path) -> None:
    one = colour_bundle(tmp_path / "one")
    other = colour_bundle(tmp_path / "other", classes=("blue", "red", "green"))
    found = compare_bundles(one, other, photos, SETTINGS, seed=0)
    assert found.paired.difference == 0
    assert found.paired.p_value == 1
    assert found.confusions == found.disagreements == ()
    assert "Inconclusive" in found.headline


def test_other_classes_are_refused(colour_bundle: Callable, photos: list, tmp_path: Path) -> None:
    one, two = colour_bundle(tmp_path / "one"), colour_bundle(tmp_path / "two", classes=("red", "green"))
    with pytest.raises(DataError, match="only one has blue"):
        compare_bundles(one, two, photos, SETTINGS, seed=0)


def test_photos_that_a_bundle_was_trained_on_are_reported(
    colour_bundle: Callable, photos: list, tmp_path: Path
) -> None:
    seen = [hashlib.sha256(photo.content).hexdigest() for photo in photos[:5]]
    one, two = colour_bundle(tmp_path / "one", trained_on=seen), colour_bundle(tmp_path / "two")
    found = compare_bundles(one, two, photos, SETTINGS, seed=0)
    assert found.trained_on == (5, 0)
    assert (
        "not a fair test: 5 of these photos were used to train the first, 0" in describe_comparison(found)[-1]
    )
