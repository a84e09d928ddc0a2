"""Batch norms of a fit that are frozen, or learn."""

from typing import Any

import torch

from phytoflow.training.distributed.shares import WHOLE
from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.lightning_module import FinetuneModule
from phytoflow.training.settings import TrainingSettings


class StreamedNothing:
    """Batches of which there are none."""

    share = WHOLE

    def train(self, epoch: int) -> list[Any]:
        """See Batches."""
        return []

    def validation(self) -> list[Any]:
        """See Batches."""
        return []


def test_frozen_norms_do_not_learn_but_others_do() -> None:
    def norm_after_a_step(learn: bool) -> torch.nn.BatchNorm1d:
        network = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
        chosen = FitSettings(TrainingSettings(), learning_rate=1.0, epochs=2, learn_norms=learn, patience=0)
        module = FinetuneModule(network, chosen, StreamedNothing(), torch.ones(2), 0, lambda x: x)
        module.train()
        module.network(torch.randn(8, 4) + 5)
        assert isinstance(network[0], torch.nn.BatchNorm1d)
        return network[0]

    assert norm_after_a_step(True).running_mean.abs().sum() > 0  # type: ignore[union-attr]
    assert norm_after_a_step(False).running_mean.abs().sum() == 0  # type: ignore[union-attr]
