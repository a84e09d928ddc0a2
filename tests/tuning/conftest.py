"""A search among small pictures, whose trainings take seconds."""

from __future__ import annotations

import optuna
import pytest

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.shards.dataset import Dataset
from phytoflow.tuning.budget import Budget
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import search_space
from tests.support.small_training import small_dataset
from tests.support.tuning.trials import SMALL, make_trial


@pytest.fixture
def overrides() -> SettingsOverrides:
    return SettingsOverrides.read(None, SMALL)


@pytest.fixture
def plan(overrides: SettingsOverrides) -> Plan:
    return Plan(overrides, search_space("quick", overrides), Budget(trials=3), CostLimits())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return small_dataset(tmp_path_factory.mktemp("tuning"), photos=16)


@pytest.fixture
def finished_study() -> optuna.Study:
    """Five trials, the third of which is the best."""
    study = optuna.create_study()
    study.add_trials(
        [
            make_trial(0.30, 0.90, start=True, rate=7e-4),
            make_trial(0.28, 0.89, rank=4, rate=2e-4),
            make_trial(0.10, 0.97, rate=4e-3),
            make_trial(0.25, 0.95, rank=4, rate=3e-3),
            make_trial(0.40, 0.80, rate=1e-4, milliseconds=5.0, megabytes=2.0),
        ]
    )
    return study
