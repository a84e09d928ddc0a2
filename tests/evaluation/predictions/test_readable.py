from collections.abc import Callable
from pathlib import Path

import pytest

from phytoflow.errors import PhotoError
from phytoflow.evaluation.predictions.readable import predict_each
from phytoflow.inference.classifier import Classifier
from tests.support.colour_bundle import SHADES, jpeg


def test_a_broken_photo_does_not_take_its_batch_with_it(
    colour_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    classifier = Classifier.load(colour_bundle(tmp_path / "bundle"))
    whole = jpeg(SHADES["blue"])
    contents = [jpeg(SHADES["red"]), whole[: len(whole) // 2], whole, b""]
    first, cut, last, empty = predict_each(classifier, contents)
    assert isinstance(cut, PhotoError) and cut.reason == "truncated"
    assert isinstance(empty, PhotoError)
    assert not isinstance(first, PhotoError) and not isinstance(last, PhotoError)
    assert (first.probabilities.argmax(), last.probabilities.argmax()) == (0, 2)
    assert last.novelty is None  # this bundle has no OOD statistics
    alone = classifier.predict([whole]).probabilities[0]
    assert last.probabilities == pytest.approx(alone)
