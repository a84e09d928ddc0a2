from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from phytoflow.evaluation.robustness.benchmark import measure_robustness
from phytoflow.inference.classifier import Classifier
from tests.support.colour_bundle import COLOURS, SHADES


def test_a_model_of_colours_minds_colour_casts_and_not_turns(colour_bundle: Callable, tmp_path: Path) -> None:
    """It knows the mean colour only: turning or blurring cannot hurt it."""
    shades = {"red": (140, 130, 120), "green": SHADES["green"], "blue": (120, 130, 140)}
    photos = [np.full((32, 32, 3), shades[name], np.uint8) for name in COLOURS for _ in range(10)]
    labels = np.repeat(np.arange(3), 10)
    found = measure_robustness(Classifier.load(colour_bundle(tmp_path / "b")), photos, labels, seed=0)
    assert found.clean == 1
    assert found.accuracy["rotation"] == found.accuracy["blur"] == (1, 1, 1, 1, 1)
    assert found.accuracy["colour cast"][-1] < 0.9
    assert found.worst_corruption == "colour cast"
    assert found.worst_class.label in ("red", "blue")
    assert found.worst_group.corruption == "colour cast"
    assert found.worst_group.accuracy <= np.mean(found.accuracy["colour cast"]) < found.worst_class.accuracy
    assert found.background is None  # a photo of one colour has no leaf to tell from its background
    assert found.lost == pytest.approx(1 - np.mean(list(found.accuracy.values())))


def test_the_same_seed_gives_the_same_figures(colour_bundle: Callable, tmp_path: Path) -> None:
    classifier = Classifier.load(colour_bundle(tmp_path / "b"))
    photos = [np.random.default_rng(i).integers(0, 256, (32, 32, 3)).astype(np.uint8) for i in range(6)]
    one, two = (measure_robustness(classifier, photos, np.arange(6) % 3, seed=3) for _ in range(2))
    assert one == two


def test_another_background_is_minded_by_a_model_that_looks_at_it(
    colour_bundle: Callable, tmp_path: Path
) -> None:
    """It knows the mean colour only, and the leaf is a fifth of the photo: what lies behind it decides."""
    classifier = Classifier.load(colour_bundle(tmp_path / "b"))
    y, x = np.mgrid[:32, :32]
    leaf = np.hypot(y - 16, x - 16) < 8.5
    photos = [np.where(leaf[..., None], (20, 90, 20), SHADES["blue"]).astype(np.uint8)] * 12
    found = measure_robustness(classifier, photos, np.full(12, 2), seed=0).background
    assert found is not None
    assert (found.photos, found.clean) == (12, 1)
    assert found.accuracy[0] == 1
    assert found.accuracy[-1] < 0.8
