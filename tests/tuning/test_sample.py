from pathlib import Path

import pytest

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.shards.dataset import Dataset
from phytoflow.tuning.sample import overrides_for_sample, write_sample


def paths(dataset: Dataset, split: str) -> set[str]:
    return {photo.path for photo in dataset.photos(split)}


def test_a_sample_holds_no_test_photo_and_leaves_each_photo_in_its_split(
    dataset: Dataset, tmp_path: Path
) -> None:
    sample = write_sample(dataset, 9, tmp_path / "sample")
    assert sample.count("test") == 0 < dataset.count("test")
    assert sample.count("train") + sample.count("validation") == 9
    for split in ("train", "validation"):
        assert paths(sample, split) < paths(dataset, split) or split == "validation"
        assert paths(sample, split) <= paths(dataset, split)
    assert sample.classes == dataset.classes


def test_classes_are_as_frequent_as_in_the_whole(dataset: Dataset, tmp_path: Path) -> None:
    labels = write_sample(dataset, 10, tmp_path).labels("train")
    assert abs(labels.count(0) - labels.count(1)) <= 1


def test_all_photos_but_those_of_the_test_are_a_sample_too(dataset: Dataset, tmp_path: Path) -> None:
    for photos in (0, 10_000):
        sample = write_sample(dataset, photos, tmp_path / str(photos))
        assert paths(sample, "train") == paths(dataset, "train")
        assert paths(sample, "validation") == paths(dataset, "validation")


def test_a_sample_is_written_once_and_again_if_it_is_to_be_another(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "sample"
    first = write_sample(dataset, 10, folder).summary
    written = (folder / "dataset.json").stat().st_mtime_ns
    assert write_sample(dataset, 10, folder).summary == first
    assert (folder / "dataset.json").stat().st_mtime_ns == written
    other = write_sample(dataset, 8, folder)
    assert other.summary.data_hash != first.data_hash and other.count("train") < 10


@pytest.mark.parametrize(("limit", "kept"), [(0, 0), (600, 600)])
def test_a_sample_is_cross_validated_only_if_the_whole_is(dataset: Dataset, limit: int, kept: int) -> None:
    given = SettingsOverrides({"training": {"cross_validate_below": limit, "rank": 2}})
    training = resolve(overrides_for_sample(given, dataset)).training
    assert (training.cross_validate_below, training.rank) == (kept, 2)
