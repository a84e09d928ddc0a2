from pathlib import Path

import pytest

from phytoflow.data.ingest.layout.folder_tree import read_tree
from phytoflow.data.ingest.layout.suspicions import check_classes
from phytoflow.data.ingest.walk import FoundFile
from phytoflow.errors import DataError


def check(paths: str) -> list[str]:
    """The kinds of warning."""
    tree = read_tree(FoundFile(path, Path(path)) for path in paths.split()).root
    return [finding.kind for finding in check_classes("photos", tree)]


@pytest.mark.parametrize(
    "paths",
    [
        "healthy/1.jpg rust/1.jpg",
        "healthy/2024/1.jpg rust/2024/1.jpg healthy/2025/1.jpg rust/2025/1.jpg",
        "healthy/plant_1/1.jpg healthy/plant_2/1.jpg rust/plant_1/1.jpg rust/plant_2/1.jpg",
        "healthy/lab/1.jpg healthy/field/1.jpg rust/lab/1.jpg rust/field/1.jpg",
        "rust/rust/1.jpg healthy/healthy/1.jpg",
        "1/1.jpg 1/2/1.jpg 2/1.jpg 2/1/1.jpg 3/1/1.jpg 3/2/1.jpg",
        "raw/1.jpg ripe/1.jpg",
    ],
)
def test_classes_are_not_suspected(paths: str) -> None:
    assert set(check(paths)) <= {"unusual class name"}


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (
            "healthy/1.jpg rust/1.jpg test/1.jpg",
            r"a split \(test\) and other folders \(healthy, rust\)",
        ),
        ("train/a/1.jpg train/b/1.jpg rust/1.jpg", r"parts of a split \(train\)"),
        ("fold1/a/1.jpg fold2/a/1.jpg", "fold1, fold2 of photos are folds"),
        ("a/1.jpg b/1.jpg copy/a/1.jpg copy/b/1.jpg", "photos/copy is a data set inside of photos: .* a, b"),
        ("a/1.jpg b/1.jpg b/old/2023/a/1.jpg b/old/2023/b/1.jpg", "photos/b/old/2023 is a data set inside"),
        (
            "a/1.jpg b/1.jpg c/train/x/1.jpg c/test/x/1.jpg",
            "photos/c is a data set inside .* train, test",
        ),
        (
            "color/a/1.jpg color/b/1.jpg gray/a/1.jpg gray/b/1.jpg",
            "color and gray .* hold the same folders, a, b",
        ),
        ("north/a/1.jpg north/b/1.jpg south/a/1.jpg south/b/1.jpg", "variants or sites, not classes"),
        ("images/1.jpg masks/1.png", "images, masks of photos are variants or accessories"),
        ("original/1.jpg augmented/1.jpg", "variants or accessories of the same photos"),
    ],
)
def test_folders_that_are_no_classes_are_refused_with_a_way_to_insist(paths: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as refusal:
        check(paths)
    assert "data.check_layout=false" in refusal.value.remedy


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        ("bus/1.jpg train/1.jpg", "unusual class name"),
        ("healthy/1.jpg augmented/1.jpg", "unusual class name"),
        ("healthy/1.jpg rust/1.jpg plantdoc/blight/1.jpg plantdoc/mildew/1.jpg", "class with sub-folders"),
        ("apple/healthy/1.jpg apple/scab/1.jpg grape/healthy/1.jpg grape/rot/1.jpg", "repeated folder name"),
        ("set1/scab/1.jpg set1/rot/1.jpg set2/esca/1.jpg set2/mildew/1.jpg", "class with sub-folders"),
        ("healthy/1.jpg rust/1.jpg rust/healthy/2.jpg", "repeated folder name"),
    ],
)
def test_what_may_be_meant_is_a_warning(paths: str, kind: str) -> None:
    assert kind in check(paths)
