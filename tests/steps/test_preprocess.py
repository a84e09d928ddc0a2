from pathlib import Path

import pytest

from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import StorageError
from phytoflow.steps.context import WORK_VARIABLE
from phytoflow.steps.preprocess import preprocess
from phytoflow.steps.settings import PreprocessStepSettings
from tests.steps.conftest import Flow


def test_every_photo_is_in_one_split_of_the_dataset(preprocessed: Flow) -> None:
    dataset = Dataset.open(preprocessed.folder / "dataset")
    assert dataset.classes == ("checks", "stripes")
    assert sum(dataset.count(split) for split in ("train", "validation", "test")) == 60
    assert dataset.count("test") == 12  # data.test_fraction
    assert (preprocessed.folder / "dataset" / "data.html").exists()


def test_parts_of_a_killed_run_are_kept_in_the_runs_folder(
    photos_only: Flow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step's own folder is another one when the run is resumed."""

    def fail(*_: object) -> None:
        raise StorageError("the disk is full", remedy="")

    settings = PreprocessStepSettings.of(photos_only.settings)
    in_parts = settings.model_copy(update={"data": settings.data.model_copy(update={"parts": 3})})
    monkeypatch.setenv(WORK_VARIABLE, str(tmp_path / "run"))
    with monkeypatch.context() as patched, pytest.raises(StorageError):
        patched.setattr("phytoflow.data.prepare.write_photos", fail)
        preprocess(str(photos_only.photos), in_parts, tmp_path / "first" / "dataset")
    assert len(list((tmp_path / "run" / "parts").iterdir())) == 3
    monkeypatch.setattr("phytoflow.data.parts.scan.read_table", fail)  # nothing is scanned again
    preprocess(str(photos_only.photos), in_parts, tmp_path / "second" / "dataset")
    assert Dataset.open(tmp_path / "second" / "dataset").count("test") == 12
    assert not (tmp_path / "run" / "parts").exists()
