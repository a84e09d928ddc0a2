import pytest

from phytoflow.data.ingest.layout.folder_names import is_fold, is_neutral, is_variant, is_wrapper, split_of


@pytest.mark.parametrize(
    ("split", "names"),
    [
        (
            "train",
            "train TRAINING train_images TrainingSet training-data train2017 seg_train images.train X_train",
        ),
        ("validation", "val valid validation Validation_Set valid_images dev val2017 eval"),
        ("test", "test testing test_images TestSet Test-Data test1 seg_test holdout testA test-Copy"),
    ],
)
def test_the_usual_names_of_the_parts_of_a_split(split: str, names: str) -> None:
    assert {name: split_of(name) for name in names.split()} == dict.fromkeys(names.split(), split)


@pytest.mark.parametrize(
    "name",
    ["healthy", "rust", "trainer", "contest", "pregnancy test", "invalid", "value", "data", "images"],
)
def test_names_of_classes_are_no_parts(name: str) -> None:
    assert split_of(name) is None


def test_a_name_of_two_parts_or_of_none() -> None:
    assert split_of("train and test") is split_of("") is split_of("1") is split_of("健康") is None


@pytest.mark.parametrize(
    "name", ["color", "grayscale", "Segmented", "augmented", "images", "masks", "raw_images"]
)
def test_names_of_variants_and_accessories(name: str) -> None:
    assert is_variant(name)


@pytest.mark.parametrize("name", ["healthy", "grey mould", "raw_rice", "colorado beetle", "unmasked", "red"])
def test_names_of_classes_are_no_variants(name: str) -> None:
    assert not is_variant(name)


def test_names_of_folders_around_the_classes() -> None:
    assert all(map(is_wrapper, ["images", "My Data", "raw_images"]))
    assert not any(map(is_wrapper, ["rust", "rust images", "x", "", "2024"]))


@pytest.mark.parametrize(
    "name",
    ["2024", "2024-05-01", "may", "Sept 2023", "plant 3", "Leaf_12", "day1", "tree-a", "lab"],
)
def test_names_that_only_number_date_or_place_photos(name: str) -> None:
    assert is_neutral(name)


@pytest.mark.parametrize("name", ["healthy", "rust", "black rot", "leaf rust", "plantain", "maybe"])
def test_names_of_classes_are_not_neutral(name: str) -> None:
    assert not is_neutral(name)


def test_folds() -> None:
    assert all(map(is_fold, ["fold1", "Fold_2", "k-fold 3", "folds_4"]))
    assert not any(map(is_fold, ["fold", "folder1", "fivefold", "1"]))
