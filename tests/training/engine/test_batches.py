"""Batches of kept arrays."""

import numpy as np
import torch

from phytoflow.training.engine.batches import CachedBatches
from phytoflow.training.engine.class_balance import draw_probabilities

LABELS = np.array([0] * 18 + [1] * 2)
VIEWS = [np.stack([np.full(20, view), np.arange(20)], 1).astype(np.float16) for view in range(3)]


def batches(**changes: object) -> CachedBatches:
    facts = {
        "views": VIEWS,
        "labels": LABELS,
        "rows": np.arange(20),
        "judged": None,
        "batch_size": 8,
        "seed": 0,
    }
    return CachedBatches(**(facts | changes))  # type: ignore[arg-type]


def epoch(kept: CachedBatches, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, labels = zip(*kept.train(number), strict=True)
    return torch.cat(inputs), torch.cat(labels)


def test_an_epoch_has_each_photo_once_in_some_view() -> None:
    inputs, labels = epoch(batches(), 0)
    assert sorted(inputs[:, 1].tolist()) == list(range(20))
    assert set(inputs[:, 0].tolist()) == {0, 1, 2}
    assert labels.tolist() == LABELS[inputs[:, 1].long().numpy()].tolist()
    assert [len(labels) for _, labels in batches().train(0)] == [8, 8, 4]


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    assert torch.equal(epoch(batches(), 3)[0], epoch(batches(), 3)[0])
    assert not torch.equal(epoch(batches(), 3)[0], epoch(batches(), 4)[0])
    assert not torch.equal(epoch(batches(), 3)[0], epoch(batches(seed=1), 3)[0])


def test_only_the_rows_asked_for_are_drawn() -> None:
    inputs, _ = epoch(batches(rows=np.array([2, 5, 7])), 0)
    assert sorted(inputs[:, 1].tolist()) == [2, 5, 7]


def test_the_sampler_draws_rare_classes_as_often() -> None:
    kept = batches(probabilities=draw_probabilities(LABELS, 2, "sampler"))
    labels = torch.cat([epoch(kept, number)[1] for number in range(50)])
    assert 0.45 < labels.float().mean() < 0.55


def test_judged_photos_come_in_order() -> None:
    kept = batches(judged=(VIEWS[0], LABELS))
    assert torch.cat([inputs for inputs, _ in kept.validation()])[:, 1].tolist() == list(range(20))
    assert batches().validation() == []
