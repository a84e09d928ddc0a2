from pathlib import Path

from phytoflow.data.shards.dataset import Dataset
from phytoflow.steps.preprocess import preprocess
from phytoflow.steps.scan import scan
from phytoflow.steps.settings import PreprocessStepSettings
from tests.steps.conftest import Flow


def test_parts_and_their_merge_make_the_dataset_of_one_step(preprocessed: Flow, tmp_path: Path) -> None:
    settings = PreprocessStepSettings.of(preprocessed.settings)
    files = [tmp_path / f"part-{number}" for number in range(3)]
    for number, file in enumerate(files):
        scan(str(preprocessed.photos), "version", settings, number, 3, file)
    preprocess(str(preprocessed.photos), settings, tmp_path / "dataset", files)
    one, parts = (Dataset.open(folder / "dataset") for folder in (preprocessed.folder, tmp_path))
    assert parts.summary == one.summary and parts.shards == one.shards
