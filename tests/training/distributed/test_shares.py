"""Shares of a batch: together they are the batch, whatever the number of processes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from phytoflow.training.distributed.group import Group
from phytoflow.training.distributed.shares import Share, loss_of_part
from phytoflow.training.settings import TrainingSettings

LAYOUTS = [(1, 1), (2, 1), (4, 1), (2, 3), (7, 2)]


@pytest.mark.parametrize("photos", [1, 5, 32])
@pytest.mark.parametrize(("size", "steps"), LAYOUTS)
def test_each_photo_is_in_one_part(photos: int, size: int, steps: int) -> None:
    parts = [part for rank in range(size) for part in Share(rank, size, steps).parts_of(photos)]
    assert sorted(row for part in parts for row in range(part.start, part.end)) == list(range(photos))
    assert {len(list(Share(rank, size, steps).parts_of(photos))) for rank in range(size)} == {steps}
    assert max(part.length for part in parts) - min(part.length for part in parts) <= 1


def test_a_mixed_part_has_the_photo_before_it_and_an_empty_one_has_only_that() -> None:
    first, second = (next(Share(rank, 2).parts_of(5)) for rank in range(2))
    assert first.rows(mixed=True).tolist() == [4, 0, 1] and first.rows(mixed=False).tolist() == [0, 1]
    assert second.rows(mixed=True).tolist() == [1, 2, 3, 4]
    empty = next(Share(0, 2).parts_of(1))
    assert empty.length == 0 and empty.rows(mixed=False).tolist() == [0]


@pytest.mark.parametrize("size", [1, 3, 8])
def test_each_held_out_photo_is_validated_once(size: int) -> None:
    rows = [row for rank in range(size) for row in range(5)[Share(rank, size).held_out(5)]]
    assert rows == list(range(5))


def test_parts_hold_at_most_what_a_process_computes_at_once() -> None:
    settings = TrainingSettings(batch_size=32, device_batch_size=6)
    share = Share.of(Group(rank=1, size=2), settings)
    assert share == Share(1, 2, 3) and max(part.length for part in share.parts_of(32)) <= 6
    assert Share.of(Group(), TrainingSettings()).parts == 1


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize(("size", "steps"), LAYOUTS)
def test_the_losses_of_parts_add_up_to_that_of_the_batch(size: int, steps: int, mixed: bool) -> None:
    random = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(9, 3, generator=random), torch.arange(9) % 3
    weights = torch.tensor([0.5, 1.0, 4.0])
    targets = F.one_hot(labels, 3) * 0.7 + F.one_hot(labels.roll(1), 3) * 0.3 if mixed else labels
    parts = [part for rank in range(size) for part in Share(rank, size, steps).parts_of(9)]
    losses = [
        loss_of_part(logits[p.start : p.end], targets[p.start : p.end], labels, weights, 0.05) for p in parts
    ]
    whole = F.cross_entropy(logits, targets, weights, label_smoothing=0.05)
    assert sum(losses) == pytest.approx(float(whole), rel=1e-5)
