"""A search among small pictures, whose trainings take seconds."""

from __future__ import annotations

from collections.abc import Callable

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.shards.dataset import Dataset
from phytoflow.tuning.budget import Budget
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import search_space
from tests.support.small_training import small_dataset

SMALL = [
    "model.image_size=64",
    "training.cached_views=1",
    "training.folds=2",
    "training.evaluated_folds=1",
    "training.finetune_epochs=1",
    "training.min_finetune_steps=2",
    "training.finetune_blocks=1",
    "training.device=cpu",
    "training.mixup=0",
    "evaluation.bootstrap_samples=100",
]
MakeTrial = Callable[..., FrozenTrial]


@pytest.fixture
def overrides() -> SettingsOverrides:
    return SettingsOverrides.read(None, SMALL)


@pytest.fixture
def plan(overrides: SettingsOverrides) -> Plan:
    return Plan(overrides, search_space("quick", overrides), Budget(trials=3), CostLimits())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return small_dataset(tmp_path_factory.mktemp("tuning"), photos=16)


@pytest.fixture(scope="session")
def make_trial() -> MakeTrial:
    """Makes a finished trial."""

    def make(
        loss: float,
        macro_f1: float = 0.9,
        *,
        start: bool = False,
        rank: int = 8,
        rate: float = 1e-3,
        milliseconds: float = 20.0,
        megabytes: float = 10.0,
        excess: tuple[float, float] = (0.0, 0.0),
    ) -> FrozenTrial:
        attributes = {"macro_f1": macro_f1, "milliseconds": milliseconds, "megabytes": megabytes}
        return create_trial(
            state=TrialState.COMPLETE,
            value=loss,
            params={"training.rank": rank, "training.finetune_learning_rate": rate},
            distributions={
                "training.rank": CategoricalDistribution((4, 8)),
                "training.finetune_learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
            },
            user_attrs={**attributes, "start": start, "excess": excess},
        )

    return make


@pytest.fixture
def finished_study(make_trial: MakeTrial) -> optuna.Study:
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
