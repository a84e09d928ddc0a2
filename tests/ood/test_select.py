"""The score that separates OOD photos best is selected, and its threshold rejects few known photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from phytoflow.bundle.reports import METHODS
from phytoflow.ood.outputs import ModelOutputs
from phytoflow.ood.scores import score
from phytoflow.ood.select import OodChoice, select_score
from tests.ood.test_scores import clouds


def answers(count: int, seed: int) -> ModelOutputs:
    features, labels = clouds(count, seed)
    return ModelOutputs(features[:, :2] * 3, features, labels, alone(len(labels), f"{seed}-"))


def alone(count: int, name: str) -> NDArray[np.str_]:
    """Photos that are each a group of their own."""
    return np.array([f"{name}{number}" for number in range(count)])


def far_photos(count: int = 60) -> ModelOutputs:
    """OOD photos: logits as certain as those of known photos, features far away."""
    features = np.random.default_rng(9).normal(0, 0.3, (count, 20)).astype(np.float32)
    features[:, 7] += 5
    return ModelOutputs(answers(count // 2, 3).logits, features, np.full(count, -1), np.full(count, ""))


def chosen(fitted: ModelOutputs, held_out: ModelOutputs) -> OodChoice:
    """Selects with a false-positive rate of one in twenty."""
    return select_score(fitted, held_out, far_photos(), 0.05, trained_on=False)


def test_features_win_where_logits_are_blind() -> None:
    choice = chosen(answers(200, 0), answers(60, 1))
    assert choice.method not in ("max_probability", "energy")
    assert set(choice.aurocs) == set(METHODS)
    assert choice.aurocs[choice.method][1] > 0.99
    assert choice.aurocs["max_probability"][1] < 0.7
    assert choice.false_positive_rate <= 0.05


def test_of_equal_scores_the_one_with_the_fewest_assumptions_is_selected() -> None:
    """All feature scores separate these photos perfectly."""
    choice = chosen(answers(200, 0), answers(60, 1))
    assert choice.aurocs["mahalanobis"][1] > 0.99
    assert choice.method == "mean_neighbours"


def test_the_threshold_holds_for_photos_never_seen() -> None:
    choice = chosen(answers(200, 0), answers(100, 1))
    fresh = answers(300, 8)
    known = score(choice.method, choice.statistics, fresh.logits, fresh.features)
    assert (known > choice.threshold).mean() <= 0.08
    far = far_photos()
    assert (score(choice.method, choice.statistics, far.logits, far.features) > choice.threshold).all()


def test_photos_of_few_groups_loosen_the_threshold() -> None:
    """Six equal photos of one leaf carry no more information than one."""
    leaf = answers(100, 1)
    leaves = np.repeat(leaf.groups, 6)
    rows = {name: np.repeat(getattr(leaf, name), 6, axis=0) for name in ("logits", "features", "labels")}
    strict, loose = (
        select_score(
            answers(200, 0), ModelOutputs(**rows, groups=groups), far_photos(), 0.1, trained_on=False
        )
        for groups in (alone(len(leaves), "b"), leaves)
    )
    assert loose.threshold > strict.threshold
    assert loose.typical == strict.typical


def test_an_odd_photo_among_few_does_not_raise_the_threshold_of_a_network_trained_on_them() -> None:
    """All of its photos are equally little held out, so all of them set the threshold."""
    held_out = answers(10, 1)
    odd = held_out.features.copy()
    odd[0] = far_photos(600).features[599]  # as far away as any OOD photo
    few = replace(held_out, features=odd)
    by_few, by_all = (
        select_score(answers(200, 0), few, far_photos(), 0.05, trained_on=seen) for seen in (False, True)
    )
    far = score(by_all.method, by_all.statistics, far_photos().logits, far_photos().features)
    assert (by_few.known_photos, by_all.known_photos) == (20, 420)
    assert (far > by_all.threshold).all()
    assert (far > by_few.threshold).mean() < 0.7
    assert by_all.false_positive_rate < 0.05


def test_with_two_classes_none_is_left_out() -> None:
    choice = chosen(answers(60, 0), answers(60, 1))
    assert {near for near, _ in choice.aurocs.values()} == {None}


def test_features_that_lie_apart_show_a_class_left_out() -> None:
    fitted, held_out = (_three(60, seed) for seed in (0, 1))
    choice = chosen(fitted, held_out)
    assert choice.aurocs["mahalanobis"][0] > 0.99
    assert choice.aurocs["nearest_neighbours"][0] > 0.99


def _three(count: int, seed: int) -> ModelOutputs:
    """The two clouds, and a third at a right angle to both."""
    two = answers(count, seed)
    features = two.features[two.labels == 0][:, [2, 1, 0, *range(3, 20)]]
    logits = np.column_stack([np.vstack([two.logits, np.zeros((count, 2), np.float32)]), np.zeros(3 * count)])
    labels = np.concatenate([two.labels, np.full(count, 2)])
    features = np.vstack([two.features, features])
    return ModelOutputs(logits.astype(np.float32), features, labels, alone(3 * count, f"three-{seed}-"))


def test_differences_that_few_photos_cannot_show_do_not_decide() -> None:
    from phytoflow.ood.select import _best_method

    aurocs = dict.fromkeys(METHODS, (0.5, 0.5)) | {
        "mean_neighbours": (0.87, 0.90),
        "mahalanobis": (0.93, 0.92),
    }
    assert _best_method(aurocs, _three(6, 1), 90) == "mean_neighbours"
    assert _best_method(aurocs, _three(2000, 1), 9000) == "mahalanobis"


def test_photos_that_all_score_alike_leave_a_scale_to_divide_by() -> None:
    labels = np.repeat([0, 1], 10)
    one = ModelOutputs(np.ones((20, 2), np.float32), np.ones((20, 20), np.float32), labels, alone(20, "a"))
    choice = chosen(one, one)
    assert choice.threshold > choice.typical
