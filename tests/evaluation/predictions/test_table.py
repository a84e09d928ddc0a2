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


def test_novelty_survives_too(tmp_path: Path) -> None:
    probabilities = np.array([[0.25, 0.75]])
    predictions = PhotoPredictions(
        ("a.jpg",), ("a",), np.array([1]), probabilities, ("x", "y"), novelty=np.array([1.25])
    )
    predictions.write(tmp_path)
    assert PhotoPredictions.read(tmp_path).novelty == pytest.approx([1.25])


def test_rows_are_selected_with_all_their_columns() -> None:
    table = PhotoPredictions(
        ("a", "b", "c"),
        ("1", "2", "2"),
        np.array([0, 1, 1]),
        np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]),
        ("x", "y"),
        sha256=("s", "t", "u"),
        novelty=np.array([0.1, 1.2, 0.3]),
    )
    chosen = table.select(np.array([True, False, True]))
    assert (chosen.paths, chosen.groups, chosen.sha256) == (("a", "c"), ("1", "2"), ("s", "u"))
    assert chosen.labels.tolist() == [0, 1] and chosen.predicted.tolist() == [0, 0]
    assert chosen.novelty == pytest.approx([0.1, 0.3])
    assert chosen.correct.tolist() == [True, False]


ODD_NAMES = (
    "NA",
    "-1",
    "健康 🌿",
    "a/b",
    "Löwenzahn #1 <b>&\"q'",
    "nan",
    "1e5",
    " padded ",
    "True",
    "=1+1",
    "x,y\nz",
)


def test_class_names_of_any_kind_survive(tmp_path: Path) -> None:
    size = len(ODD_NAMES)
    table = PhotoPredictions(
        tuple(f"{name}/1.jpg" for name in ODD_NAMES),
        tuple(ODD_NAMES),
        np.arange(size),
        np.eye(size) * 0.5 + 0.5 / size,
        ODD_NAMES,
    )
    table.write(tmp_path)
    again = PhotoPredictions.read(tmp_path)
    assert again.classes == ODD_NAMES and again.groups == ODD_NAMES and again.paths == table.paths
    assert again.correct.all()
    text = (tmp_path / "predictions.csv").read_text()
    assert "NaN" not in text
