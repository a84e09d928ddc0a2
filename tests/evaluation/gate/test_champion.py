import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.gate.champion import ChampionComparison, compare_with_champion
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.evaluation.settings import EvaluationSettings
from phytoflow.inference.classifier import Classifier

SETTINGS = EvaluationSettings(bootstrap_samples=400, latency_photos=5)
ColourPhoto = Callable[..., LabelledPhoto]
ColourBundle = Callable[..., Path]


@pytest.fixture(scope="module")
def photos(colour_photo: ColourPhoto) -> list[LabelledPhoto]:
    return [colour_photo(c, n, group=f"{c}-{n // 2}") for c in ("red", "green", "blue") for n in range(12)]


def compare(champion: Path, photos: list[LabelledPhoto], challenger: Path) -> ChampionComparison:
    answers, _ = predict_photos(Classifier.load(challenger), photos)
    return compare_with_champion(champion, iter(photos), answers, version="1", settings=SETTINGS, seed=0)


def test_a_challenger_that_confuses_classes_is_worse(
    photos: list[LabelledPhoto], colour_bundle: ColourBundle, tmp_path: Path
) -> None:
    good = colour_bundle(tmp_path / "good")
    bad = colour_bundle(tmp_path / "bad", confused=("red", "green"))
    found = compare(good, photos, bad)
    assert found.paired is not None
    assert (found.paired.photos, found.paired.first, found.paired.second) == (36, 1.0, pytest.approx(1 / 3))
    assert found.worse
    assert not compare(bad, photos, good).worse


def test_groups_the_champion_was_trained_on_are_left_out(
    photos: list[LabelledPhoto], colour_bundle: ColourBundle, tmp_path: Path
) -> None:
    seen = [hashlib.sha256(photo.content).hexdigest() for photo in photos[:3]]  # of groups red-0 and red-1
    champion = colour_bundle(tmp_path / "champion", trained_on=seen)
    found = compare(champion, photos, colour_bundle(tmp_path / "new", confused=("red", "green")))
    assert found.paired is not None
    assert (found.paired.photos, found.seen) == (32, 4)
    every = [hashlib.sha256(photo.content).hexdigest() for photo in photos]
    knows_all = colour_bundle(tmp_path / "all", trained_on=every)
    found = compare(knows_all, photos, colour_bundle(tmp_path / "other", confused=("red", "green")))
    assert (found.paired, found.seen, found.worse) == (None, 36, False)


def test_photos_of_classes_that_the_champion_lacks_are_left_out(
    photos: list[LabelledPhoto], colour_bundle: ColourBundle, tmp_path: Path
) -> None:
    champion = colour_bundle(tmp_path / "champion", classes=("green", "red"))
    found = compare(champion, photos, colour_bundle(tmp_path / "new"))
    assert found.paired is not None
    assert (found.paired.photos, found.foreign, found.paired.first) == (24, 12, 1.0)
    blue = compare(champion, photos[24:], colour_bundle(tmp_path / "other"))
    assert (blue.paired, blue.foreign) == (None, 12)
