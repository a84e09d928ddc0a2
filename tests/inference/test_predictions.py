"""Softmax and rows of predictions."""

import numpy as np

from phytoflow.inference.predictions import Predictions, softmax

TWO = Predictions(
    np.array([[0.2, 0.8], [0.6, 0.4]], np.float32),
    ("a", "b"),
    np.array([0.1, 1.5], np.float32),
    np.array([[1, 2, 3], [4, 5, 6]], np.float32),
)


def test_temperature_softens() -> None:
    logits = np.array([[2.0, 0.0, -2.0]], np.float32)
    plain, soft = softmax(logits), softmax(logits, 2.0)
    np.testing.assert_allclose(plain.sum(), 1, atol=1e-6)
    np.testing.assert_allclose(soft, softmax(logits / 2), atol=1e-7)
    assert soft.max() < plain.max()


def test_softmax_of_large_logits_is_finite() -> None:
    assert softmax(np.array([[1e4, 0.0]], np.float32)).tolist() == [[1.0, 0.0]]


def test_top_is_ordered_and_ties_keep_the_class_order() -> None:
    predictions = Predictions(np.array([[0.2, 0.6, 0.2]], np.float32), ("a", "b", "c"))
    labels, scores = predictions.top(3)
    assert labels == [["b", "a", "c"]]
    np.testing.assert_allclose(scores, [[0.6, 0.2, 0.2]])


def test_novelty_above_one_is_out_of_distribution() -> None:
    assert TWO.known is not None and TWO.known.tolist() == [True, False]
    assert TWO.labels() == ["b", "a"]
    assert Predictions(TWO.probabilities, TWO.classes).known is None


def test_rows_are_split_and_concatenated() -> None:
    rows = [TWO.row(1), TWO.row(0)]
    swapped = Predictions.concatenate(rows, TWO.classes)
    assert swapped.labels() == ["a", "b"]
    assert swapped.novelty is not None and swapped.novelty.tolist() == np.float32([1.5, 0.1]).tolist()
    assert swapped.features is not None and swapped.features.tolist() == [[4, 5, 6], [1, 2, 3]]
    assert Predictions.concatenate([], TWO.classes).probabilities.shape == (0, 2)
    assert Predictions.concatenate([TWO], TWO.classes) is TWO
