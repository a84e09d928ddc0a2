import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.errors import DataError
from phytoflow.evaluation.predictions.predict import predict_photos
from phytoflow.inference.classifier import Classifier


@pytest.fixture(scope="module")
def classifier(colour_bundle: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return Classifier.load(colour_bundle(tmp_path_factory.mktemp("predict") / "bundle"))


def test_rows_are_in_the_order_of_the_photos_and_unreadable_ones_are_left_out(
    classifier: Classifier, colour_photo: Callable[..., LabelledPhoto]
) -> None:
    photos = [colour_photo(c, n) for n in range(15) for c in ("red", "green", "blue")]
    photos.insert(7, LabelledPhoto("red/empty.jpg", "red", "x", b""))
    predictions, unreadable = predict_photos(classifier, iter(photos))
    readable = [photo for photo in photos if photo.content]
    assert predictions.paths == tuple(photo.path for photo in readable)
    assert predictions.sha256 == tuple(hashlib.sha256(p.content).hexdigest() for p in readable)
    assert predictions.correct.all()
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, rtol=1e-12)
    assert [(u.path, u.reason) for u in unreadable] == [("red/empty.jpg", "empty")]


def test_an_observer_sees_each_readable_photo_with_its_probabilities(
    classifier: Classifier, colour_photo: Callable[..., LabelledPhoto]
) -> None:
    seen: list[tuple[str, int]] = []
    photos = [colour_photo("green", 1), LabelledPhoto("red/empty.jpg", "red", "x", b"")]
    predict_photos(classifier, photos, observe=lambda photo, p: seen.append((photo.label, int(p.argmax()))))
    assert seen == [("green", 1)]


def test_unknown_labels_are_all_named_with_their_nearest_class(
    classifier: Classifier, colour_photo: Callable[..., LabelledPhoto]
) -> None:
    labels = ["red", "Gren", "soil", "Gren"]
    photos = [colour_photo("red", n, label=label) for n, label in enumerate(labels)]
    with pytest.raises(
        DataError, match=r"'Gren' \(nearest: 'green'\), 'soil'\. Its classes: red, green, blue"
    ):
        predict_photos(classifier, photos)


def test_nothing_readable_is_refused(classifier: Classifier) -> None:
    with pytest.raises(DataError, match="none of 1 photos can be read"):
        predict_photos(classifier, [LabelledPhoto("red/a.jpg", "red", "a", b"")])
