"""A search is opened once, however often its step is tried."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from phytoflow.errors import ConfigError
from phytoflow.steps.search.open_search import open_search
from phytoflow.steps.search.place import study_place
from phytoflow.steps.search.settings import SearchStepSettings
from phytoflow.tuning.storage import open_storage


def test_a_second_attempt_finds_study_and_run(
    photos: Path, settings: SearchStepSettings, tmp_path: Path
) -> None:
    opened = open_search(photos, settings, str(tmp_path))
    assert open_search(photos, settings, str(tmp_path)) == opened
    place = study_place(str(tmp_path))
    (first,) = optuna.load_study(study_name=place.name, storage=open_storage(place.storage)).trials
    assert first.state == TrialState.WAITING and first.user_attrs["start"]
    other = settings.model_copy(update={"overrides": settings.overrides | {"seed": 8}})
    with pytest.raises(ConfigError, match="other photos, settings"):
        open_search(photos, other, str(tmp_path))
