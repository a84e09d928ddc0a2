"""Batches of cached arrays and of streamed photos."""

from pathlib import Path

import numpy as np
import torch

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.training.engine.batches import CachedBatches, StreamedBatches
from phytoflow.training.engine.class_balance import draw_probabilities
from tests.support.shard_folder import dataset_folder

LABELS = np.array([0] * 18 + [1] * 2)
VIEWS = [np.stack([np.full(20, view), np.arange(20)], 1).astype(np.float16) for view in range(3)]


def batches(**changes: object) -> CachedBatches:
    fields = {
        "views": VIEWS,
        "labels": LABELS,
        "rows": np.arange(20),
        "held_out": None,
        "batch_size": 8,
        "seed": 0,
    }
    return CachedBatches(**(fields | changes))  # type: ignore[arg-type]


def epoch(cached: CachedBatches, number: int) -> tuple[torch.Tensor, torch.Tensor]:
    inputs, labels = zip(*cached.train(number), strict=True)
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


def test_only_the_given_rows_are_drawn() -> None:
    inputs, _ = epoch(batches(rows=np.array([2, 5, 7])), 0)
    assert sorted(inputs[:, 1].tolist()) == [2, 5, 7]


def test_the_sampler_draws_rare_classes_as_often() -> None:
    cached = batches(probabilities=draw_probabilities(LABELS, 2, "sampler"))
    labels = torch.cat([epoch(cached, number)[1] for number in range(50)])
    assert 0.45 < labels.float().mean() < 0.55


def test_held_out_photos_come_in_order() -> None:
    cached = batches(held_out=(VIEWS[0], LABELS))
    assert torch.cat([inputs for inputs, _ in cached.validation()])[:, 1].tolist() == list(range(20))
    assert batches().validation() == []


def test_streamed_photos_are_augmented_anew_in_each_epoch_and_validated_as_they_are(tmp_path: Path) -> None:
    dataset_folder(tmp_path, {"train": 9, "validation": 3, "test": 0})
    dataset = Dataset.open(tmp_path)
    streamed = StreamedBatches(dataset, Preprocessing(size=32), "light", batch_size=4, seed=0, workers=0)
    first, again, second = ([batch[0] for batch in streamed.train(number)] for number in (0, 0, 1))
    assert [len(images) for images in first] == [4, 4, 1] and first[0].shape[1:] == (3, 32, 32)
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert not torch.equal(first[0], second[0])
    (validation,) = streamed.validation()
    assert validation[1].tolist() == dataset.labels("validation")
    cached = batches(held_out=(VIEWS[0], LABELS))
    replaced = StreamedBatches(dataset, Preprocessing(size=32), "light", 4, 0, 0, held_out=cached)
    assert torch.cat([labels for _, labels in replaced.validation()]).tolist() == LABELS.tolist()
