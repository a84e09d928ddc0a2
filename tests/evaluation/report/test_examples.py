from collections.abc import Callable

import numpy as np
import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.evaluation.report import examples as module
from phytoflow.evaluation.report.examples import ExampleCollector

CLASSES = ("red", "green", "blue")
ColourPhoto = Callable[..., LabelledPhoto]


def observe(collector: ExampleCollector, photo: LabelledPhoto, predicted: str, confidence: float) -> None:
    probabilities = np.full(3, (1 - confidence) / 2)
    probabilities[CLASSES.index(predicted)] = confidence
    collector.observe(photo, probabilities)


def test_the_most_confident_mistakes_and_the_least_confident_answers_are_kept(
    colour_photo: ColourPhoto,
) -> None:
    collector = ExampleCollector(CLASSES, size=2)
    confidences = [0.5, 0.9, 0.7, 0.99, 0.6]
    for number, confidence in enumerate(confidences):
        observe(collector, colour_photo("red", number), "blue", confidence)
        observe(collector, colour_photo("green", number), "green", confidence - 0.1)
    examples = collector.examples()
    assert [example.confidence for example in examples.mistakes] == [0.99, 0.9]
    assert [e.confidence for e in examples.uncertain] == pytest.approx([0.4, 0.5])
    assert [e.correct for e in examples.uncertain] == [True, False]  # of equal confidence, the earlier
    assert all(example.jpeg.startswith(b"\xff\xd8") for example in examples.mistakes)


def test_each_confused_pair_keeps_a_few_photos(colour_photo: ColourPhoto) -> None:
    collector = ExampleCollector(CLASSES)
    for number in range(10):
        observe(collector, colour_photo("red", number), "blue", 0.8)
    observe(collector, colour_photo("green", 0), "red", 0.8)
    confusions = collector.examples().confusions
    assert {pair: len(photos) for pair, photos in confusions.items()} == {
        ("red", "blue"): 3,
        ("green", "red"): 1,
    }
    assert confusions["red", "blue"][0].path == "red/red-0.jpg"


def test_memory_is_bounded_and_frequent_pairs_survive(
    colour_photo: ColourPhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MAX_CONFUSIONS", 3)
    names = tuple(f"class {number}" for number in range(40))
    collector, photo = ExampleCollector(names), colour_photo("red", 0)
    for number in range(39):
        for label in (0, number):  # class 0 is mistaken for class 39 again and again
            probabilities = np.zeros(40)
            probabilities[39] = 1
            collector.observe(LabelledPhoto(photo.path, names[label], "g", photo.content), probabilities)
    confusions = collector.examples().confusions
    assert len(confusions) == 3
    assert len(confusions["class 0", "class 39"]) == 3
