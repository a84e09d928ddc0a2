"""Features of photos, cached on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.system.progress import EVENTS_VARIABLE, ProgressEvent
from phytoflow.training.engine.device import find_device
from phytoflow.training.features import view_writer
from phytoflow.training.features.cache import CPU_BATCH, CachedFeatures, FeatureCache
from phytoflow.training.features.extractor import Features
from phytoflow.training.features.view_writer import ViewWriter
from phytoflow.training.settings import TrainingSettings
from tests.support.small_training import MODEL, small_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return small_dataset(tmp_path_factory.mktemp("small"), photos=10)


def cache(dataset: Dataset, folder: Path, seed: int = 0) -> FeatureCache:
    device = find_device(TrainingSettings(device="cpu"))
    return FeatureCache(dataset, create_model(MODEL, 2), preprocessing_for(MODEL), device, seed, 0, folder)


def test_validation_photos_are_preprocessed_as_when_served(dataset: Dataset, tmp_path: Path) -> None:
    features = cache(dataset, tmp_path)
    cached = features.load("validation")
    served = np.stack([features.preprocessing(photo.content) for photo in dataset.photos("validation")])
    with torch.inference_mode():
        expected = features.model.features(torch.from_numpy(served)).numpy()
    # Activations are rounded to float16 on the way.
    assert np.abs(cached.pooled[0] - expected).max() < 0.01 * np.abs(expected).max()
    assert cached.labels.tolist() == [dataset.classes.index(p.label) for p in dataset.photos("validation")]


def test_the_tail_gives_the_pooled_features_of_cached_activations(dataset: Dataset, tmp_path: Path) -> None:
    features = cache(dataset, tmp_path)
    views = features.load("train", "light", 2)
    with torch.inference_mode():
        pooled = features.model.tail(torch.from_numpy(views.activations[1].astype(np.float32))).numpy()
    assert np.allclose(pooled, views.pooled[1], atol=1e-3)
    assert np.abs(views.pooled[1] - views.pooled[0]).max() > 0.05
    assert views.activations[0][0].nbytes == features.bytes_per_photo()


def test_views_are_computed_once_and_depend_on_the_seed(dataset: Dataset, tmp_path: Path) -> None:
    first = cache(dataset, tmp_path / "a").load("train", "light", 2)
    stamp = (tmp_path / "a" / "train-light-1" / "pooled.npy").stat().st_mtime_ns
    again = cache(dataset, tmp_path / "a").load("train", "light", 2)
    assert (tmp_path / "a" / "train-light-1" / "pooled.npy").stat().st_mtime_ns == stamp
    other = cache(dataset, tmp_path / "b", seed=1).load("train", "light", 2)
    assert np.array_equal(first.pooled[1], again.pooled[1])
    assert np.allclose(first.pooled[0], other.pooled[0], atol=1e-4)
    assert np.abs(first.pooled[1] - other.pooled[1]).max() > 0.05


def test_pooled_features_alone_take_no_room_for_activations(dataset: Dataset, tmp_path: Path) -> None:
    views = cache(dataset, tmp_path).load("train", "none", 1, activations=False)
    assert views.activations == [] and views.pooled[0].shape == (dataset.count("train"), 1280)
    assert not list(tmp_path.rglob("activations.npy"))


class KillError(Exception):
    """Ends an extraction in a test as a kill would."""


def test_after_a_kill_within_a_view_the_rest_of_it_is_computed(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_writer, "_SECONDS_BETWEEN_SAVES", 0.0)  # after every batch
    whole = cache(dataset, tmp_path / "whole").load("train", "light", 2)
    killed, images = cache(dataset, tmp_path / "killed"), []
    write = ViewWriter.write

    def die(self: ViewWriter, features: Features) -> None:
        if self._folder.name == "train-light-1" and self.rows:
            raise KillError
        write(self, features)

    monkeypatch.setattr(ViewWriter, "write", die)
    with pytest.raises(KillError):
        killed.load("train", "light", 2)
    assert not (killed.folder / "train-light-1").exists()

    def count(self: ViewWriter, features: Features) -> None:
        images.append(len(features[1]))
        write(self, features)

    monkeypatch.setattr(ViewWriter, "write", count)
    resumed = cache(dataset, tmp_path / "killed").load("train", "light", 2)
    assert sum(images) == dataset.count("train") - CPU_BATCH  # the first view and the first batch were there
    assert np.array_equal(resumed.pooled[1], whole.pooled[1])
    assert np.array_equal(resumed.activations[1], whole.activations[1])


def test_two_splits_are_concatenated(dataset: Dataset, tmp_path: Path) -> None:
    features = cache(dataset, tmp_path)
    train, validation = features.load("train"), features.load("validation")
    both = train.concatenate(validation)
    assert len(both) == len(train) + len(validation)
    assert np.array_equal(both.pooled[0][len(train) :], validation.pooled[0])
    assert np.array_equal(both.activations[0][: len(train)], train.activations[0])
    assert both.labels.tolist() == train.labels.tolist() + validation.labels.tolist()
    nothing = CachedFeatures([], [], np.zeros(0, np.int64))
    assert train.concatenate(nothing) is train


def test_progress_counts_photos_and_views(
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(EVENTS_VARIABLE, "1")
    monkeypatch.setattr("phytoflow.system.progress._EVENT_SECONDS", 0.0)
    cache(dataset, tmp_path).load("train", "light", 2)
    events = [ProgressEvent.from_line(line) for line in capsys.readouterr().out.splitlines()]
    last = {event.description: (event.done, event.total) for event in events if event}
    photos = dataset.count("train")
    assert last == {f"Features of train photos, view {view} of 2": (photos, photos) for view in (1, 2)}
