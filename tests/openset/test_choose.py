"""The score that tells strangers best is taken, and the threshold refuses few known photos."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from phytoflow.openset.choose import Answers, Choice, choose
from phytoflow.openset.scores import METHODS, score
from phytoflow.openset.strangers import textures
from tests.openset.test_scores import clouds


def answers(count: int, seed: int) -> Answers:
    features, labels = clouds(count, seed)
    return Answers(features[:, :2] * 3, features, labels)


def strangers(count: int = 60) -> Answers:
    """As sure as known photos by their logits; far away by their features."""
    features = np.random.default_rng(9).normal(0, 0.3, (count, 20)).astype(np.float32)
    features[:, 7] += 5
    return Answers(answers(count // 2, 3).logits, features, np.full(count, -1))


def chosen(fitted: Answers, held_out: Answers, varied: Answers | None = None, *, views: int = 1) -> Choice:
    """One in twenty may be refused, and every photo shows something else."""
    alone = np.arange(len(held_out.labels))
    return choose(fitted, held_out, strangers(), 0.05, groups=alone, varied=varied, views=views)


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
    rows = {name: np.repeat(getattr(leaf, name), 6, axis=0) for name in ("logits", "features", "labels")}
    held_out = Answers(**rows)
    alone = np.arange(len(held_out.labels))
    strict, loose = (
        choose(answers(200, 0), held_out, strangers(), 0.1, groups=groups) for groups in (alone, alone // 6)
    )
    assert loose.threshold > strict.threshold
    assert loose.typical == strict.typical


def test_varied_photos_loosen_the_threshold() -> None:
    held_out = answers(60, 1)
    wider = replace(held_out, features=held_out.features + np.float32(0.4))
    strict, loose = (chosen(answers(200, 0), held_out, varied) for varied in (held_out, wider))
    assert loose.threshold > strict.threshold
    assert loose.typical == strict.typical


def test_a_photos_views_count_by_their_mean() -> None:
    """One odd view among four does not let strangers in, as the strangest view's score would."""
    held_out = answers(60, 1)
    rows = {name: np.repeat(getattr(held_out, name), 4, axis=0) for name in ("logits", "features", "labels")}
    rows["features"][::4] += np.float32(0.4)
    odd = Answers(**rows)
    by_mean = chosen(answers(200, 0), held_out, odd, views=4)
    all_odd = replace(odd, features=rows["features"][::4].repeat(4, 0))
    by_all = chosen(answers(200, 0), held_out, all_odd, views=4)
    assert by_mean.threshold < by_all.threshold


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
    return Answers(logits.astype(np.float32), np.vstack([two.features, features]), labels)


def test_few_held_out_photos_leave_the_score_that_assumes_least() -> None:
    """Differences that so few photos cannot show do not decide."""
    from phytoflow.openset.choose import _best

    figures = dict.fromkeys(METHODS, (0.5, 0.5)) | {
        "mean_neighbours": (0.87, 0.90),
        "mahalanobis": (0.93, 0.92),
    }
    assert _best(figures, _three(6, 1), 90) == "mean_neighbours"
    assert _best(figures, _three(2000, 1), 9000) == "mahalanobis"


def test_photos_all_alike_leave_a_scale() -> None:
    one = Answers(np.ones((20, 2), np.float32), np.ones((20, 20), np.float32), np.repeat([0, 1], 10))
    choice = chosen(one, one)
    assert choice.threshold > choice.typical


def test_textures_are_many_and_come_from_the_seed() -> None:
    made = textures(10, 32, seed=0)
    assert {picture.shape for picture in made} == {(32, 32, 3)}
    assert len({picture.tobytes() for picture in made}) == 10
    assert made[4].std(axis=(0, 1)) == pytest.approx(0)
    assert (textures(3, 32, seed=0)[0] == made[0]).all()
