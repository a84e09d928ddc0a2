"""What the trunk says of photos, kept."""

from pathlib import Path

import numpy as np
import pytest
import torch

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.training.engine.device import find_device
from phytoflow.training.features.cache import Extractor
from phytoflow.training.settings import TrainingSettings
from tests.support.small_training import MODEL, small_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return small_dataset(tmp_path_factory.mktemp("small"), photos=10)


def extractor(dataset: Dataset, folder: Path, seed: int = 0) -> Extractor:
    device = find_device(TrainingSettings(device="cpu"))
    return Extractor(dataset, create_model(MODEL, 2), preprocessing_for(MODEL), device, seed, 0, folder)


def test_validation_photos_are_seen_as_they_are_served(dataset: Dataset, tmp_path: Path) -> None:
    kept = extractor(dataset, tmp_path)
    views = kept.views("validation")
    served = np.stack([kept.preprocessing(photo.content) for photo in dataset.photos("validation")])
    with torch.inference_mode():
        features = kept.model.features(torch.from_numpy(served)).numpy()
    # Activations are rounded to float16 on the way.
    assert np.abs(views.pooled[0] - features).max() < 0.01 * np.abs(features).max()
    assert views.labels.tolist() == [dataset.classes.index(p.label) for p in dataset.photos("validation")]


def test_the_tail_gives_the_pooled_features_of_the_kept_activations(dataset: Dataset, tmp_path: Path) -> None:
    kept = extractor(dataset, tmp_path)
    views = kept.views("train", "light", 2)
    with torch.inference_mode():
        pooled = kept.model.tail(torch.from_numpy(views.activations[1].astype(np.float32))).numpy()
    assert np.allclose(pooled, views.pooled[1], atol=1e-3)
    assert np.abs(views.pooled[1] - views.pooled[0]).max() > 0.05
    assert views.activations[0][0].nbytes == kept.bytes_per_photo()


def test_views_are_computed_once_and_depend_on_the_seed(dataset: Dataset, tmp_path: Path) -> None:
    first = extractor(dataset, tmp_path / "a").views("train", "light", 2)
    stamp = (tmp_path / "a" / "train-light-1" / "pooled.npy").stat().st_mtime_ns
    again = extractor(dataset, tmp_path / "a").views("train", "light", 2)
    assert (tmp_path / "a" / "train-light-1" / "pooled.npy").stat().st_mtime_ns == stamp
    other = extractor(dataset, tmp_path / "b", seed=1).views("train", "light", 2)
    assert np.array_equal(first.pooled[1], again.pooled[1])
    assert np.allclose(first.pooled[0], other.pooled[0], atol=1e-4)
    assert np.abs(first.pooled[1] - other.pooled[1]).max() > 0.05


def test_pooled_features_alone_take_no_room(dataset: Dataset, tmp_path: Path) -> None:
    views = extractor(dataset, tmp_path).views("train", "none", 1, keep=False)
    assert views.activations == [] and views.pooled[0].shape == (dataset.count("train"), 1280)
    assert not list(tmp_path.rglob("activations.npy"))
