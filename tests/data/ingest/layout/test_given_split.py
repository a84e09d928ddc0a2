from pathlib import Path

import pytest

from phytoflow.data.ingest.layout.folder_tree import read_tree
from phytoflow.data.ingest.layout.given_split import NO_SPLIT, GivenSplit, find_given_split
from phytoflow.data.ingest.walk import FoundFile


def found(*paths: str) -> GivenSplit:
    return find_given_split(read_tree(FoundFile(path, Path(path)) for path in paths).root)


def parts(*names: str) -> list[str]:
    return [f"{name}/{label}/1.jpg" for name in names for label in ("healthy", "rust")]


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train", "valid", "test"], ["train", "validation", "test"]),
        (["Training", "testing"], ["train", "test"]),
        (["train_images", "val_images"], ["train", "validation"]),
        (["dev", "train"], ["validation", "train"]),
        (["set/photos/train", "set/photos/test"], ["train", "test"]),
        (["train/train", "test/test"], ["train", "test"]),
        (["seg_train/seg_train", "seg_test/seg_test"], ["train", "test"]),
        (["train/images", "test/images"], ["train", "test"]),
        (["X_train", "X_test"], ["train", "test"]),
    ],
)
def test_parts_around_the_classes(names: list[str], splits: list[str]) -> None:
    bases = {tuple(name.split("/")): split for name, split in zip(names, splits, strict=True)}
    assert found(*parts(*names)) == GivenSplit(bases)  # type: ignore[arg-type]


def test_images_that_are_the_only_class_of_a_part_are_a_class() -> None:
    assert found("train/images/1.jpg", "test/images/2.jpg").bases.keys() == {("train",), ("test",)}


def test_readme_files_and_empty_folders_change_nothing() -> None:
    assert found(*parts("train", "test"), "README.md", "docs/LICENSE.txt").bases.keys() == {
        ("train",),
        ("test",),
    }


def test_parts_inside_of_the_classes() -> None:
    split = found("healthy/train/1.jpg", "healthy/test/2.jpg", "rust/train/3.jpg", "rust/test/4.jpg")
    assert split == GivenSplit({(): None}, {"train": "train", "test": "test"})


def test_one_part_alone_is_only_a_folder_around_the_classes() -> None:
    assert found(*parts("train")) == GivenSplit({("train",): None})
    assert found(*parts("set/train")) == GivenSplit({("set", "train"): None})


@pytest.mark.parametrize(
    "paths",
    [
        ["healthy/1.jpg", "rust/1.jpg"],
        ["healthy/1.jpg", "test/1.jpg"],
        [*parts("train", "test"), "rust/1.jpg"],
        ["healthy/train/1.jpg", "healthy/test/2.jpg", "rust/3.jpg"],
        ["rust/plant1/1.jpg", "rust/plant2/1.jpg"],
        parts("color", "grayscale"),
    ],
)
def test_anything_else_is_no_split(paths: list[str]) -> None:
    assert found(*paths) == NO_SPLIT
