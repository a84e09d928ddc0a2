from phytoflow.data.shards.dataset import Dataset
from tests.steps.conftest import Flow


def test_every_photo_is_in_one_split_of_the_dataset(preprocessed: Flow) -> None:
    dataset = Dataset.open(preprocessed.folder / "dataset")
    assert dataset.classes == ("checks", "stripes")
    assert sum(dataset.count(split) for split in ("train", "validation", "test")) == 60
    assert dataset.count("test") == 12  # data.test_fraction
    assert (preprocessed.folder / "dataset" / "data.html").exists()
