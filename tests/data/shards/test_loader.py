import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from phytoflow.data.augmentation.presets import augmentation
from phytoflow.data.images.decode import decode
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.loader import image_loader
from phytoflow.data.shards.writer import write_index, write_shards
from phytoflow.errors import PhotoError, StorageError
from tests.support.services.object_store import object_store
from tests.support.shard_folder import dataset_folder, photo

COUNT = 23
Batches = list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # copies of remote shards go with the test
    dataset_folder(tmp_path, {"train": COUNT, "validation": 2, "test": 3}, shard_bytes=20_000)
    return Dataset.open(tmp_path)


def load(dataset: Dataset, context: str | None = None, **settings: object) -> Batches:
    given: dict[str, object] = {"batch_size": 4, "seed": 5, "epoch": 1, "shuffle": True}
    given |= {"transform": augmentation("outdoor", 32), **settings}
    loader: DataLoader = image_loader(dataset, "train", **given)  # type: ignore[arg-type]
    if context:
        loader.multiprocessing_context = context
    return [tuple(batch) for batch in loader]


def same(one: Batches, other: Batches) -> bool:
    return len(one) == len(other) and all(
        torch.equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True)
    )


def indices(batches: Batches) -> list[int]:
    return torch.cat([index for _, _, index in batches]).tolist()


def test_batches_hold_photos_labels_and_places(dataset: Dataset) -> None:
    images, labels, index = load(dataset)[0]
    assert (images.shape, images.dtype) == ((4, 3, 32, 32), torch.uint8)
    assert labels.dtype == index.dtype == torch.int64
    assert labels.tolist() == [dataset.labels("train")[i] for i in index]


def test_every_photo_comes_once_and_the_order_is_mixed(dataset: Dataset) -> None:
    order = indices(load(dataset))
    assert sorted(order) == list(range(COUNT))
    assert order != sorted(order)
    assert indices(load(dataset, shuffle=False)) == list(range(COUNT))


def test_an_epoch_repeats_and_another_differs(dataset: Dataset) -> None:
    first = load(dataset)
    torch.rand(7)  # what was drawn before must not matter
    assert same(first, load(dataset))
    assert not same(first, load(dataset, epoch=2))
    assert not same(first, load(dataset, seed=6))


def test_a_photo_is_augmented_anew_each_epoch(dataset: Dataset) -> None:
    first, second = (load(dataset, shuffle=False, epoch=e)[0][0] for e in (0, 1))
    assert not torch.equal(first, second)


def test_the_callers_generator_is_left_alone(dataset: Dataset) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    loader = iter(image_loader(dataset, "train", batch_size=4, seed=5, transform=augmentation("outdoor", 32)))
    state = torch.get_rng_state()  # a DataLoader's iterator draws its base seed
    next(loader)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(3)
    assert torch.equal(torch.rand(4), expected)


def test_no_gpus_generator_is_seeded(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    def seeded(_: int) -> None:
        raise AssertionError("a training's dropout would depend on the photo that was loaded last")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded)
    assert sorted(indices(load(dataset))) == list(range(COUNT))


def test_workers_change_nothing(dataset: Dataset) -> None:
    assert same(load(dataset), load(dataset, "fork", workers=2))


def test_the_photos_can_be_sent_to_another_process_after_use(dataset: Dataset) -> None:
    photos = image_loader(
        dataset, "train", batch_size=1, seed=0, transform=augmentation("outdoor", 32)
    ).dataset
    image, label, _ = photos[3]
    image_there, label_there, _ = pickle.loads(pickle.dumps(photos))[3]
    assert torch.equal(image, image_there)
    assert label == label_there


def test_forked_workers_may_share_files_opened_before(dataset: Dataset) -> None:
    loader = image_loader(dataset, "train", batch_size=1, seed=0, workers=2, shuffle=True)
    loader.dataset[0]
    places = [int(index) for _, _, index in loader]
    assert sorted(places) == list(range(COUNT))


def test_ranks_are_disjoint_and_complete(dataset: Dataset) -> None:
    shares = [indices(load(dataset, rank=r, world_size=3, workers=r)) for r in range(3)]
    assert sorted(place for share in shares for place in share) == list(range(COUNT))
    assert {len(share) for share in shares} == {7, 8}


def test_without_a_transform_the_pixels_are_those_of_serving(dataset: Dataset) -> None:
    images, _, index = next(iter(image_loader(dataset, "train", batch_size=3, seed=0, shuffle=True)))
    for image, place in zip(images, index.tolist(), strict=True):
        served = dataset.summary.preprocessing.pixels(decode(photo(place).content))
        assert np.array_equal(image.permute(1, 2, 0).numpy(), served)


def test_a_shard_cut_short_is_told(dataset: Dataset) -> None:
    shard = dataset.shards_of("train")[-1]
    path = Path(dataset.shard_uri(shard))
    path.write_bytes(path.read_bytes()[: shard.offsets[1]])
    with pytest.raises(StorageError, match=shard.file):
        load(dataset)


def test_a_photo_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "bad"
    dataset_folder(folder, {"train": 1, "validation": 0, "test": 0})
    bad = LabelledPhoto("rust/bad.jpg", "rust", "g", photo(1).content[:900])
    write_index(folder, write_shards("train", [bad], {"rust": 1}, folder, 2**20))
    with pytest.raises(PhotoError, match=r"rust/bad\.jpg"):
        load(Dataset.open(folder))


def test_remote_shards_are_read_through_copies(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(dataset.root)
    with object_store(root.parent, monkeypatch):
        assert same(load(dataset), load(Dataset.open(f"s3://{root.name}")))


def test_ranks_together_read_the_batch_of_one_process(dataset: Dataset) -> None:
    """The result of training does not depend on the number of processes."""
    whole = [set(index.tolist()) for _, _, index in load(dataset, batch_size=6)]
    ranks = [load(dataset, batch_size=2, rank=rank, world_size=3) for rank in range(3)]
    together = [set(torch.cat([index for _, _, index in step]).tolist()) for step in zip(*ranks, strict=True)]
    assert together == whole


def test_ranks_and_workers_of_a_machine_download_each_shard_once(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = Path(dataset.root)
    with object_store(root.parent, monkeypatch):
        remote = Dataset.open(f"s3://{root.name}")
        first = load(remote)
        for shard in dataset.shards_of("train"):
            (root / shard.file).unlink()
        assert same(first, load(remote, "fork", workers=2))
        shares = [indices(load(remote, rank=rank, world_size=2)) for rank in range(2)]
        assert sorted(place for share in shares for place in share) == list(range(COUNT))
