"""The score that tells strangers best is taken, and the threshold refuses few known photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from phytoflow.bundle.manifest import METHODS
from phytoflow.ood.outputs import Answers
from phytoflow.ood.scores import score
from phytoflow.ood.select import Choice, choose
from phytoflow.ood.synthetic_outliers import textures
from tests.ood.test_scores import clouds


def answers(count: int, seed: int) -> Answers:
    features, labels = clouds(count, seed)
    return Answers(features[:, :2] * 3, features, labels, alone(len(labels), f"{seed}-"))


def alone(count: int, name: str) -> NDArray[np.str_]:
    """Photos that each show something else."""
    return np.array([f"{name}{number}" for number in range(count)])


def strangers(count: int = 60) -> Answers:
    """As sure as known photos by their logits; far away by their features."""
    features = np.random.default_rng(9).normal(0, 0.3, (count, 20)).astype(np.float32)
    features[:, 7] += 5
    return Answers(answers(count // 2, 3).logits, features, np.full(count, -1), np.full(count, ""))


def chosen(fitted: Answers, held_out: Answers) -> Choice:
    """One in twenty may be refused."""
    return choose(fitted, held_out, strangers(), 0.05, trained_on=False)


def test_features_win_where_logits_are_blind() -> None:
    choice = chosen(answers(200, 0), answers(60, 1))
    assert choice.method not in ("max_probability", "energy")
    assert set(choice.figures) == set(METHODS)
    assert choice.figures[choice.method][1] > 0.99
    assert choice.figures["max_probability"][1] < 0.7
    assert choice.refused <= 0.05


def test_among_equals_the_score_that_assumes_least_is_taken() -> None:
    """All feature scores tell these strangers perfectly."""
    choice = chosen(answers(200, 0), answers(60, 1))
    assert choice.figures["mahalanobis"][1] > 0.99
    assert choice.method == "mean_neighbours"


def test_the_threshold_holds_for_photos_never_seen() -> None:
    choice = chosen(answers(200, 0), answers(100, 1))
    fresh = answers(300, 8)
    known = score(choice.method, choice.statistics, fresh.logits, fresh.features)
    assert (known > choice.threshold).mean() <= 0.08
    far = strangers()
    assert (score(choice.method, choice.statistics, far.logits, far.features) > choice.threshold).all()


def test_photos_of_few_groups_loosen_the_threshold() -> None:
    """Six photos of one leaf say no more than one, and count for no more."""
    leaf = answers(100, 1)
    leaves = np.repeat(leaf.groups, 6)
    rows = {name: np.repeat(getattr(leaf, name), 6, axis=0) for name in ("logits", "features", "labels")}
    strict, loose = (
        choose(answers(200, 0), Answers(**rows, groups=groups), strangers(), 0.1, trained_on=False)
        for groups in (alone(len(leaves), "b"), leaves)
    )
    assert loose.threshold > strict.threshold
    assert loose.typical == strict.typical


def test_an_odd_photo_among_few_does_not_let_strangers_in() -> None:
    """A network trained on its validation photos has as much to say of all the others."""
    held_out = answers(10, 1)
    odd = held_out.features.copy()
    odd[0] = strangers(600).features[599]  # as far out as any stranger
    few = replace(held_out, features=odd)
    by_few, by_all = (
        choose(answers(200, 0), few, strangers(), 0.05, trained_on=seen) for seen in (False, True)
    )
    far = score(by_all.method, by_all.statistics, strangers().logits, strangers().features)
    assert (by_few.known, by_all.known) == (20, 420)
    assert (far > by_all.threshold).all()
    assert (far > by_few.threshold).mean() < 0.7
    assert by_all.refused < 0.05


def test_with_two_classes_none_is_left_out() -> None:
    choice = chosen(answers(60, 0), answers(60, 1))
    assert {near for near, _ in choice.figures.values()} == {None}


def test_a_class_left_out_is_told_by_features_that_lie_apart() -> None:
    fitted, held_out = (_three(60, seed) for seed in (0, 1))
    choice = chosen(fitted, held_out)
    assert choice.figures["mahalanobis"][0] > 0.99
    assert choice.figures["nearest_neighbours"][0] > 0.99


def _three(count: int, seed: int) -> Answers:
    """The two clouds, and a third at a right angle to both."""
    two = answers(count, seed)
    features = two.features[two.labels == 0][:, [2, 1, 0, *range(3, 20)]]
    logits = np.column_stack([np.vstack([two.logits, np.zeros((count, 2), np.float32)]), np.zeros(3 * count)])
    labels = np.concatenate([two.labels, np.full(count, 2)])
    features = np.vstack([two.features, features])
    return Answers(logits.astype(np.float32), features, labels, alone(3 * count, f"three-{seed}-"))


def test_few_held_out_photos_leave_the_score_that_assumes_least() -> None:
    """Differences that so few photos cannot show do not decide."""
    from phytoflow.ood.select import _best

    figures = dict.fromkeys(METHODS, (0.5, 0.5)) | {
        "mean_neighbours": (0.87, 0.90),
        "mahalanobis": (0.93, 0.92),
    }
    assert _best(figures, _three(6, 1), 90) == "mean_neighbours"
    assert _best(figures, _three(2000, 1), 9000) == "mahalanobis"


def test_photos_all_alike_leave_a_scale() -> None:
    labels = np.repeat([0, 1], 10)
    one = Answers(np.ones((20, 2), np.float32), np.ones((20, 20), np.float32), labels, alone(20, "a"))
    choice = chosen(one, one)
    assert choice.threshold > choice.typical


def test_textures_are_many_and_come_from_the_seed() -> None:
    made = textures(10, 32, seed=0)
    assert {picture.shape for picture in made} == {(32, 32, 3)}
    assert len({picture.tobytes() for picture in made}) == 10
    assert made[4].std(axis=(0, 1)) == pytest.approx(0)
    assert (textures(3, 32, seed=0)[0] == made[0]).all()
