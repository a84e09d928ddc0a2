"""How many views of each photo a training keeps."""

from pathlib import Path

import pytest

from phytoflow.config import TrainingSettings
from phytoflow.training.run import FEW_VIEWS, MANY_VIEWS, MOST_VIEWS, open_run
from tests.training.small import MODEL, Notes, small_dataset


@pytest.mark.parametrize(
    ("changes", "views"),
    [
        ({}, MANY_VIEWS),
        ({"cross_validate": 0}, FEW_VIEWS),
        ({"cross_validate": 0, "augmentation": "field"}, MANY_VIEWS),
        ({"augmentation": "field"}, MOST_VIEWS),
        ({"views": 2}, 2),
        ({"views": 5, "augmentation": "field"}, 5),
    ],
)
def test_small_sets_and_the_field_preset_have_more_views_unless_said(
    tmp_path: Path, changes: dict[str, object], views: int
) -> None:
    dataset, settings = small_dataset(tmp_path, photos=10), TrainingSettings(**changes)  # type: ignore[arg-type]
    run = open_run(dataset, MODEL, settings, 0, tmp_path / "model", str(tmp_path / "checkpoints"), Notes())
    assert run.views == views
