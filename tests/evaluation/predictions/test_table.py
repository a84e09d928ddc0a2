from pathlib import Path

import numpy as np
import pytest

from phytoflow.evaluation.predictions.table import PhotoPredictions


def test_predictions_survive_being_written_even_with_awkward_names(tmp_path: Path) -> None:
    predictions = PhotoPredictions(
        paths=("NA/007.jpg", 'path/a,"b".jpg', "path/ü.jpg"),
        groups=("007", "7", "NA"),
        labels=np.array([0, 1, 1]),
        probabilities=np.array([[0.123456789, 0.876543211], [1e-9, 1 - 1e-9], [0.5, 0.5]]),
        classes=("NA", "path"),
    )
    predictions.write(tmp_path)
    again = PhotoPredictions.read(tmp_path)
    assert again.paths == predictions.paths
    assert again.groups == predictions.groups
    assert again.classes == predictions.classes
    assert again.labels.tolist() == [0, 1, 1]
    np.testing.assert_allclose(again.probabilities, predictions.probabilities, rtol=1e-8)
    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert header == "path,label,group,predicted,confidence,probability:NA,probability:path"


def test_how_strange_a_photo_is_survives_too(tmp_path: Path) -> None:
    probabilities = np.array([[0.25, 0.75]])
    predictions = PhotoPredictions(
        ("a.jpg",), ("a",), np.array([1]), probabilities, ("x", "y"), novelty=np.array([1.25])
    )
    predictions.write(tmp_path)
    assert PhotoPredictions.read(tmp_path).novelty == pytest.approx([1.25])
