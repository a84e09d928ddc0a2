from pathlib import Path

import pytest

from phytoflow.data.ingest.layout.folder_tree import read_tree
from phytoflow.data.ingest.layout.given_split import find_given_split
from phytoflow.data.ingest.layout.split_checks import check_given_split
from phytoflow.data.ingest.walk import FoundFile
from phytoflow.errors import DataError


def check(paths: str, merge_similar: bool = False) -> None:
    tree = read_tree(FoundFile(path, Path(path)) for path in paths.split()).root
    check_given_split("photos", tree, find_given_split(tree), merge_similar)


WHOLE = "train/a/1.jpg train/b/1.jpg test/a/1.jpg test/b/1.jpg"
INSIDE = "a/train/1.jpg a/test/2.jpg b/train/3.jpg"


@pytest.mark.parametrize("paths", [WHOLE, f"{INSIDE} b/test/4.jpg", "a/1.jpg b/1.jpg"])
def test_a_whole_split_and_no_split_pass(paths: str) -> None:
    check(paths)


@pytest.mark.parametrize(
    ("paths", "message", "remedy"),
    [
        (
            "test/a/1.jpg valid/a/1.jpg",
            "parts of a split, but none is for training",
            "name the training part",
        ),
        (f"{WHOLE} train_images/a/2.jpg", "train and train_images of photos are both named as", "rename"),
        (
            f"{WHOLE} valid/1.jpg",
            "valid of photos is named .* 1 photos lie in no class folders",
            "move valid out",
        ),
        (
            f"{WHOLE} valid/c/1.jpg",
            "train has no photos of c; test has no photos of c; valid",
            "predefined_split",
        ),
        (f"{WHOLE} train/c/1.jpg", r"each part: test has no photos of c\n", "data.predefined_split=ignore"),
        (f"{WHOLE} valid/notes.txt", "valid of photos is named .*, but holds no photo", "remove the folder"),
        (
            "a/train/1.jpg a/test/2.jpg b/train/3.jpg",
            "every class is in each part: b has no photos in test",
            "add",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_remedy(paths: str, message: str, remedy: str) -> None:
    with pytest.raises(DataError, match=message) as refusal:
        check(paths)
    assert remedy in refusal.value.remedy


def test_spellings_of_one_class_in_two_parts() -> None:
    paths = "train/Rust/1.jpg train/b/1.jpg test/rust/1.jpg test/b/1.jpg"
    with pytest.raises(
        DataError, match=r"train has no photos of rust; test has no photos of Rust"
    ) as refusal:
        check(paths)
    assert "data.merge_similar_classes=true" in refusal.value.remedy
    check(paths, merge_similar=True)
