"""One small training, whose features are computed once for all tests of a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from phytoflow.training.context import TrainingContext
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.open_context import open_context, open_store
from phytoflow.training.settings import TrainingSettings
from tests.support.small_training import MODEL, Notes, small_dataset

FAST = TrainingSettings(
    cached_views=2, finetune_epochs=1, min_finetune_steps=2, folds=2, batch_size=8, device="cpu"
)


@pytest.fixture(scope="module")
def shared_context(tmp_path_factory: pytest.TempPathFactory) -> TrainingContext:
    folder = tmp_path_factory.mktemp("strategies")
    dataset = small_dataset(folder, photos=16)
    store = open_store(dataset, MODEL, FAST, 0, folder / "model", str(folder / "checkpoints"))
    return open_context(dataset, MODEL, FAST, 0, store, Notes())


@pytest.fixture
def context(shared_context: TrainingContext, tmp_path: Path) -> TrainingContext:
    """The shared features with checkpoints of its own."""
    features = shared_context.features
    store = CheckpointStore(str(tmp_path), "test", tmp_path / "scratch")
    own = replace(shared_context, store=store, history=[], seconds={})
    own.__dict__["features"] = features  # a cached property
    return own
