"""A search of one trial among small pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.steps.search.settings import SearchStepSettings
from phytoflow.tuning.settings import SearchSettings
from tests.support.small_training import small_dataset
from tests.support.tuning.trials import SMALL


@pytest.fixture(autouse=True)
def _journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a database of the machine that runs the tests."""
    monkeypatch.delenv(STUDY_STORAGE, raising=False)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    small_dataset(folder, photos=16)
    (summary,) = folder.rglob("dataset.json")
    return summary.parent


@pytest.fixture
def settings() -> SearchStepSettings:
    overrides = dict(SettingsOverrides.read(None, [*SMALL, "seed=7"]).tree)
    return SearchStepSettings(overrides=overrides, search=SearchSettings(trials=1))
