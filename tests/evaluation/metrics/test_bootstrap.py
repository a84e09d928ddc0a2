import numpy as np
import pytest
from numpy.typing import NDArray

from phytoflow.evaluation.metrics.bootstrap import (
    difference_interval,
    percentile_interval,
    resampled_sums,
    share_interval,
)


def accuracy_interval(
    correct: NDArray[np.float64], groups: NDArray[np.int64], seed: int = 0
) -> tuple[float, float]:
    values = np.stack([correct, np.ones_like(correct)], axis=1)
    sums = resampled_sums(values, groups, 400, seed)
    return percentile_interval(sums[:, 0] / sums[:, 1], 0.95)


def clustered(rng: np.random.Generator, groups: int, size: int, share: float) -> NDArray[np.float64]:
    """Groups that are right or wrong as one: the photos of a leaf tell the same."""
    return np.repeat(rng.random(groups) < share, size).astype(np.float64)


def test_whole_groups_are_drawn() -> None:
    values = np.array([[1.0], [2.0], [4.0], [8.0], [16.0]])
    groups = np.array([0, 0, 1, 1, 1])
    sums = resampled_sums(values, groups, 500, seed=1)[:, 0]
    assert set(sums) == {2 * 3.0, 3.0 + 28.0, 2 * 28.0}
    assert np.mean(sums == 31.0) == pytest.approx(0.5, abs=0.08)


def test_intervals_over_groups_are_wider_than_over_photos_of_the_same_leaves() -> None:
    correct = clustered(np.random.default_rng(0), groups=40, size=8, share=0.8)
    by_group = accuracy_interval(correct, np.repeat(np.arange(40), 8))
    by_photo = accuracy_interval(correct, np.arange(320))
    assert by_group[1] - by_group[0] > 2 * (by_photo[1] - by_photo[0])


@pytest.mark.parametrize("size", [1, 5])
def test_the_interval_covers_the_truth_as_often_as_it_says(size: int) -> None:
    rng, groups = np.random.default_rng(7), np.repeat(np.arange(60), size)
    covered = 0
    for trial in range(300):
        low, high = accuracy_interval(clustered(rng, 60, size, share=0.8), groups, seed=trial)
        covered += low <= 0.8 <= high
    assert 0.90 <= covered / 300 <= 0.98


def test_intervals_over_photos_would_not_cover_clustered_photos() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(100):
        low, high = accuracy_interval(clustered(rng, 60, 5, share=0.8), np.arange(300), seed=trial)
        covered += low <= 0.8 <= high
    assert covered < 75


def shares(right: int, photos: int, groups: NDArray[np.int64] | None = None) -> tuple[float, float]:
    """Interval of a share whose errors are the last photos."""
    correct = (np.arange(photos) < right).astype(np.float64)
    groups = np.arange(photos) if groups is None else groups
    sums = resampled_sums(np.stack([correct, np.ones(photos)], axis=1), groups, 1000, 0)
    counts = {"photos": photos, "groups": len(np.unique(groups))}
    return share_interval(right / photos, sums[:, 0] / sums[:, 1], **counts, level=0.95)


def test_a_perfect_sample_leaves_room_for_error() -> None:
    # The rule of three: about 3.7 / n for a two-sided 95% interval.
    assert shares(100, 100) == (pytest.approx(1 - 0.0362, abs=1e-3), 1.0)
    assert shares(0, 100) == (0.0, pytest.approx(0.0362, abs=1e-3))


def test_independent_photos_give_the_exact_interval_of_clopper_and_pearson() -> None:
    """39 of 40: 0.8684 to 0.9994, while the percentile bootstrap says 0.925 to 1."""
    low, high = shares(39, 40)
    assert low == pytest.approx(0.8684, abs=0.015)
    assert high == pytest.approx(0.9994, abs=0.001)


def test_a_worse_sample_never_has_a_better_interval() -> None:
    ends = [shares(right, 40) for right in range(30, 41)]
    assert ends == sorted(ends)


def test_an_error_of_a_whole_leaf_counts_as_one_leaf() -> None:
    leaves = np.arange(40) // 4
    wide, narrow = shares(36, 40, leaves), shares(36, 40)
    assert wide[0] < narrow[0] - 0.1
    assert shares(40, 40, leaves)[0] == pytest.approx(0.025 ** (1 / 10))


@pytest.mark.parametrize(("groups", "size", "share"), [(40, 1, 0.9), (12, 5, 0.9), (20, 3, 0.8)])
def test_the_interval_of_a_share_covers_the_truth_at_least_as_often_as_it_says(
    groups: int, size: int, share: float
) -> None:
    rng, numbers, covered = np.random.default_rng(3), np.repeat(np.arange(groups), size), 0
    for trial in range(200):
        correct = clustered(rng, groups, size, share)
        sums = resampled_sums(np.stack([correct, np.ones_like(correct)], axis=1), numbers, 200, trial)
        resampled = sums[:, 0] / sums[:, 1]
        low, high = share_interval(correct.mean(), resampled, photos=groups * size, groups=groups, level=0.95)
        covered += low <= share <= high
    assert covered / 200 >= 0.93  # 95% less two standard errors of 200 trials


def test_the_same_seed_draws_the_same_groups() -> None:
    values, groups = np.arange(10.0)[:, None], np.arange(10)
    same = resampled_sums(values, groups, 250, 3)
    assert same.shape == (250, 1)
    assert (same == resampled_sums(values, groups, 250, 3)).all()
    assert not (same == resampled_sums(values, groups, 250, 4)).all()


def test_a_difference_of_independent_figures() -> None:
    """Newcombe's example, 56/70 against 48/80 with score intervals (1998, method 10): 0.0524 to 0.3339."""
    low, high = difference_interval((0.8, (0.6920, 0.8768)), (0.6, (0.4905, 0.7005)))
    assert low == pytest.approx(0.0524, abs=2e-3)
    assert high == pytest.approx(0.3339, abs=2e-3)


def test_perfect_samples_leave_doubt_in_a_difference() -> None:
    perfect = (1.0, shares(20, 20))
    low, high = difference_interval(perfect, perfect)
    assert low < -0.1 and high > 0.1
