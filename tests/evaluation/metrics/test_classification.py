import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from phytoflow.evaluation.metrics.classification import ClassificationMetrics, measure_classification
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings

CLASSES = ("healthy", "rust", "scab")


def predictions(labels: list[int], predicted: list[int], groups: list[str] | None = None) -> PhotoPredictions:
    """Predictions with a confidence of 0.8."""
    probabilities = np.full((len(labels), len(CLASSES)), 0.1)
    probabilities[np.arange(len(labels)), predicted] = 0.8
    names = tuple(groups or [f"leaf-{i}" for i in range(len(labels))])
    return PhotoPredictions(names, names, np.array(labels), probabilities, CLASSES)


def figures(*args: list[int]) -> ClassificationMetrics:
    return measure_classification(predictions(*args), EvaluationSettings(bootstrap_samples=200), seed=0)


def test_figures_computed_by_hand() -> None:
    # healthy: 2 of 3 found, 1 scab called healthy; rust: 1 of 1; scab: 1 of 2.
    found = figures([0, 0, 0, 1, 2, 2], [0, 0, 1, 1, 2, 0])
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.confusion_matrix == ((2, 1, 0), (0, 1, 0), (1, 0, 1))
    healthy, rust, scab = (found.per_class[name] for name in CLASSES)
    assert (healthy.precision, healthy.recall, healthy.support) == (
        pytest.approx(2 / 3),
        pytest.approx(2 / 3),
        3,
    )
    assert (rust.precision, rust.recall, rust.f1) == (0.5, 1.0, pytest.approx(2 / 3))
    assert (scab.precision, scab.recall, scab.f1) == (1.0, 0.5, pytest.approx(2 / 3))
    assert found.macro_f1 == pytest.approx(2 / 3)
    assert found.macro_precision == pytest.approx((2 / 3 + 0.5 + 1) / 3)
    assert found.ece == pytest.approx(0.8 - 4 / 6)
    assert found.log_loss == pytest.approx(-(4 * np.log(0.8) + 2 * np.log(0.1)) / 6)


def test_figures_agree_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 200)
    probabilities = rng.dirichlet([1, 1, 1], 200)
    names = tuple(map(str, range(200)))
    predictions = PhotoPredictions(names, names, labels, probabilities, CLASSES)
    found = measure_classification(predictions, EvaluationSettings(bootstrap_samples=100), seed=0)
    expected = precision_recall_fscore_support(labels, predictions.predicted, average="macro")
    assert [found.macro_precision, found.macro_recall, found.macro_f1] == pytest.approx(expected[:3])
    assert found.confusion_matrix == tuple(map(tuple, confusion_matrix(labels, predictions.predicted)))
    assert found.log_loss == pytest.approx(log_loss(labels, probabilities))


def test_ece_agrees_with_torchmetrics() -> None:
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    rng = np.random.default_rng(5)
    labels, probabilities = rng.integers(0, 3, 300), rng.dirichlet([0.5, 0.5, 0.5], 300)
    names = tuple(map(str, range(300)))
    found = measure_classification(
        PhotoPredictions(names, names, labels, probabilities, CLASSES),
        EvaluationSettings(bootstrap_samples=100),
        seed=0,
    )
    expected = multiclass_calibration_error(torch.tensor(probabilities), torch.tensor(labels), 3, n_bins=15)
    assert found.ece == pytest.approx(float(expected), abs=1e-6)


def test_a_class_without_test_photos_does_not_lower_the_macro_figures() -> None:
    found = figures([0, 0, 1, 1], [0, 0, 1, 0])
    assert found.absent_classes == ("scab",)
    assert found.macro_recall == pytest.approx((1 + 0.5) / 2)
    assert found.per_class["scab"].f1_interval is None
    assert found.per_class["scab"].auroc is None


def test_a_photo_given_an_absent_class_still_counts_as_missed() -> None:
    found = figures([0, 0, 1, 1], [0, 0, 1, 2])
    assert found.accuracy == 0.75
    assert found.macro_recall == pytest.approx(0.75)


def test_a_perfect_result_does_not_claim_certainty() -> None:
    found = figures([0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2])
    low, high = found.intervals["macro_f1"]
    assert high == 1.0
    assert low == pytest.approx(0.025 ** (1 / 6))
    assert found.per_class["rust"].f1_interval == (pytest.approx(0.025 ** (1 / 2)), 1.0)


def test_ranking_a_class_perfectly_gives_an_area_of_one() -> None:
    found = figures([0, 0, 1, 2], [0, 0, 1, 2])
    assert found.per_class["healthy"].auroc == 1.0


def test_intervals_hold_the_figure_and_repeat_with_the_seed() -> None:
    first, second = figures([0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2, 0]), None
    second = figures([0, 0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2, 0])
    assert first == second
    low, high = first.intervals["accuracy"]
    assert low < first.accuracy < high
