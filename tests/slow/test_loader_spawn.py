from pathlib import Path

import torch

from phytoflow.data.augmentation.presets import augmentation
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.loader import image_loader
from tests.support.shard_folder import dataset_folder


def test_spawned_workers_give_the_same_batches(tmp_path: Path) -> None:
    dataset_folder(tmp_path, {"train": 11, "validation": 0, "test": 0}, shard_bytes=20_000)

    def images(workers: int) -> torch.Tensor:
        loader = image_loader(
            Dataset.open(tmp_path),
            "train",
            transform=augmentation("outdoor", 32),
            batch_size=4,
            seed=1,
            workers=workers,
            shuffle=True,
        )
        if workers:
            loader.multiprocessing_context = "spawn"
        return torch.cat([batch[0] for batch in loader])

    assert torch.equal(images(0), images(2))
