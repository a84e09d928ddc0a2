"""Finished trials of a search, and the settings with which a training among small pictures takes seconds."""

from __future__ import annotations

from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from phytoflow.evaluation.compare.paired import PairedComparison
from phytoflow.tuning.judge import Judgement

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
JUDGEMENT = Judgement(PairedComparison(80, 0.90, 0.95, (0.01, 0.09), 0.95, 1, 5, 0.2), (0.89, 0.94))


def make_trial(
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
    """A finished trial."""
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
