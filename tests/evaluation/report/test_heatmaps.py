from collections.abc import Callable
from pathlib import Path

import numpy as np

from phytoflow.evaluation.report.examples import Example, ReportExamples
from phytoflow.evaluation.report.heatmaps import add_heatmap, add_heatmaps
from phytoflow.inference.classifier import Classifier
from tests.support.colour_bundle import SHADES, jpeg


def example(colour: str) -> Example:
    return Example(f"{colour}.jpg", colour, colour, 0.9, jpeg(SHADES[colour]))


def test_heatmaps_are_added_only_where_they_are_affordable(
    colour_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    """This bundle has no class activation map; covering the photo takes sixty predictions."""
    classifier = Classifier.load(colour_bundle(tmp_path / "bundle"))
    examples = ReportExamples([example("red")], [example("green"), example("blue")], {})
    assert add_heatmaps(examples, classifier, None, occlusion=False) == examples
    mapped = add_heatmaps(examples, classifier, None, occlusion=True)
    assert all(e.heatmap.startswith(b"\xff\xd8") for e in [*mapped.mistakes, *mapped.uncertain])
    assert [e.path for e in mapped.uncertain] == ["green.jpg", "blue.jpg"]


def test_the_heatmap_is_of_the_predicted_class(colour_bundle: Callable[..., Path], tmp_path: Path) -> None:
    classifier = Classifier.load(colour_bundle(tmp_path / "bundle"))
    asked: list[int] = []

    def attribution(_: Classifier, tensor: np.ndarray, label: int) -> np.ndarray:
        asked.append(label)
        return np.zeros(tensor.shape[1:], np.float32)

    mistake = Example("a.jpg", "red", "blue", 0.9, jpeg(SHADES["red"]))
    assert add_heatmap(mistake, classifier, attribution).heatmap
    assert asked == [2]
