from math import comb

import numpy as np
import pytest

from phytoflow.errors import DataError
from phytoflow.evaluation.compare.paired import compare_paired, mcnemar
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(bootstrap_samples=400)


def predictions(correct: np.ndarray, groups: np.ndarray) -> PhotoPredictions:
    probabilities = np.where(correct[:, None], [0.9, 0.1], [0.1, 0.9])
    paths = tuple(map(str, range(len(correct))))
    return PhotoPredictions(
        paths, tuple(map(str, groups)), np.zeros(len(correct), int), probabilities, ("x", "y")
    )


def test_pairing_sees_a_small_difference_that_separate_intervals_would_not() -> None:
    first = np.arange(400) % 5 != 0  # 80% correct
    second = first & (np.arange(400) % 20 != 1)  # 5% more are wrong, on the same photos
    singles = np.arange(400)
    found = compare_paired(predictions(first, singles), predictions(second, singles), SETTINGS, 0)
    assert (found.photos, found.first) == (400, pytest.approx(0.8))
    assert found.difference == pytest.approx(-0.05)
    assert found.second_is_worse and not found.second_is_better
    swapped = compare_paired(predictions(second, singles), predictions(first, singles), SETTINGS, 0)
    assert swapped.second_is_better and not swapped.second_is_worse
    assert swapped.interval == pytest.approx((-found.interval[1], -found.interval[0]))


def test_a_difference_on_one_leaf_is_noise_however_many_photos_it_has() -> None:
    groups = np.arange(400) // 20  # 20 leaves of 20 photos
    first, second = np.ones(400, bool), groups != 7
    assert not compare_paired(
        predictions(first, groups), predictions(second, groups), SETTINGS, 0
    ).second_is_worse
    singles = np.arange(400)
    assert compare_paired(
        predictions(first, singles), predictions(second, singles), SETTINGS, 0
    ).second_is_worse


def test_a_handful_of_disagreements_is_inconclusive() -> None:
    second = np.arange(60) >= 5  # five photos of five leaves, all one way: the bootstrap alone is sure
    found = compare_paired(
        predictions(np.ones(60, bool), np.arange(60)), predictions(second, np.arange(60)), SETTINGS, 0
    )
    assert found.interval[1] < 0
    assert (found.only_first, found.only_second) == (5, 0)
    assert found.p_value == pytest.approx(2 * 0.5**5)
    assert not found.second_is_worse


def test_the_order_of_the_photos_does_not_matter() -> None:
    random = np.random.default_rng(0)
    one, two = (
        predictions(random.random(50) < 0.7, np.arange(50)),
        predictions(random.random(50) < 0.7, np.arange(50)),
    )
    turned = random.permutation(50)
    shuffled = PhotoPredictions(
        tuple(two.paths[i] for i in turned),
        tuple(two.groups[i] for i in turned),
        two.labels[turned],
        two.probabilities[turned],
        two.classes,
    )
    assert compare_paired(one, two, SETTINGS, 0) == compare_paired(one, shuffled, SETTINGS, 0)


def test_a_photo_without_a_second_prediction_is_refused_by_name() -> None:
    one, two = predictions(np.ones(3, bool), np.arange(3)), predictions(np.ones(2, bool), np.arange(2))
    with pytest.raises(DataError, match="no prediction for 1 of the photos, first 2"):
        compare_paired(one, two, SETTINGS, 0)


def test_mcnemar_by_hand() -> None:
    assert mcnemar(2, 8) == pytest.approx(2 * sum(comb(10, k) for k in range(3)) / 2**10)
    assert mcnemar(0, 0) == 1
