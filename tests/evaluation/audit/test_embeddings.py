from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.splits import SPLITS
from phytoflow.evaluation.audit.embeddings import SIDE, embed_photos, whiten
from phytoflow.inference.classifier import Classifier


def test_whitening_gives_axes_of_equal_variance_and_rows_of_unit_length() -> None:
    generator = np.random.default_rng(0)
    features = (generator.normal(size=(400, 5)) * [100, 10, 1, 0.1, 0]).astype(np.float32)
    white = whiten(features)
    assert white.shape == (400, 5)
    np.testing.assert_allclose(np.linalg.norm(white, axis=1), 1, rtol=1e-5)
    spread = white.var(axis=0)
    assert spread[1:].max() / spread[1:].min() < 1.5  # the constant axis is first and stays out


def test_few_photos_allow_few_axes() -> None:
    assert whiten(np.random.default_rng(0).normal(size=(40, 30)).astype(np.float32)).shape == (40, 4)


class _Dataset:
    """Stands for a prepared dataset, which takes a thousand photos to make."""

    classes = ("red", "green", "blue")

    def __init__(self, photos: list[LabelledPhoto]) -> None:
        self._photos = photos
        self.table = pd.DataFrame(
            {
                "path": [photo.path for photo in photos],
                "group": [photo.group for photo in photos],
                "split": [SPLITS[number % 3] for number in range(len(photos))],
                "phash": [f"{number:016x}" for number in range(len(photos))],
            }
        )

    def photos(self, split: str) -> list[LabelledPhoto]:
        wanted = set(self.table["path"][self.table["split"] == split])
        return [photo for photo in self._photos if photo.path in wanted]


@pytest.fixture(scope="module")
def dataset(colour_photo: Callable[..., LabelledPhoto]) -> _Dataset:
    return _Dataset([colour_photo(c, n, group=f"{c}-{n // 2}") for c in _Dataset.classes for n in range(12)])


def test_every_photo_keeps_its_label_group_split_and_hash(
    dataset: _Dataset, colour_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    classifier = Classifier.load(colour_bundle(tmp_path / "bundle"))
    found = embed_photos(classifier, dataset, limit=1000, seed=0)  # type: ignore[arg-type]
    assert len(found.labels) == 36 and len(np.unique(found.groups)) == 18
    assert found.thumbnails.shape == (36, SIDE, SIDE, 3)
    brightest = found.thumbnails.mean(axis=(1, 2)).argmax(axis=1)
    assert (brightest == found.labels).all()  # red photos have most red
    assert (found.splits == found.hashes % 3).all()
    assert (np.diff(found.splits) >= 0).all()  # split by split


def test_a_limit_takes_whole_groups(
    dataset: _Dataset, colour_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    classifier = Classifier.load(colour_bundle(tmp_path / "bundle"))
    found = embed_photos(classifier, dataset, limit=9, seed=0)  # type: ignore[arg-type]
    assert len(found.labels) == 8  # four groups of two
    assert (np.bincount(found.groups) == 2).all()
