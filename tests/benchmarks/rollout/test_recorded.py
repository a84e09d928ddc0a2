"""Power from recorded answers: weights, and refusals against exact probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rollout.__main__ import refusals, refused_by
from benchmarks.rollout.recorded import Answers, best_fixed, refused, table
from phytoflow.errors import ConfigError
from phytoflow.rollout.settings import RolloutSettings

STREAMS = 400


def answers(wins: int, losses: int, both_wrong: int, photos: int = 1000) -> Answers:
    """Photos on which only the challenger is right, only the champion is, and neither with two classes."""
    champion, challenger, differ = np.ones(photos, bool), np.ones(photos, bool), np.zeros(photos, bool)
    champion[:wins], challenger[wins : wins + losses] = False, False
    rest = slice(wins + losses, wins + losses + both_wrong)
    champion[rest] = challenger[rest] = False
    differ[: wins + losses + both_wrong] = True
    return Answers(champion, challenger, differ)


@pytest.mark.parametrize("loss", [0.03, 0.0])
def test_weights_make_the_challenger_just_so_much_worse(loss: float) -> None:
    recorded = answers(10, 70, 0)
    weights = recorded.weights(loss)
    assert weights.sum() == pytest.approx(1)
    assert weights @ recorded.champion - weights @ recorded.challenger == pytest.approx(loss)
    assert weights @ (recorded.champion != recorded.challenger) == pytest.approx(recorded.deciding)


def test_refusals_agree_with_exact_probabilities() -> None:
    recorded, crossed = answers(30, 50, 0), refusals(200, RolloutSettings().alpha)
    for loss in (0.03, 0.0):
        share = sum(number > 0 for number in refused(recorded, recorded.weights(loss), 200, STREAMS))
        exact = refused_by((0.08 - loss) / 0.16, crossed)[-1]
        assert share / STREAMS == pytest.approx(exact, abs=3 * (exact * (1 - exact) / STREAMS) ** 0.5)


def test_a_fixed_test_is_more_powerful_and_photos_that_decide_nothing_cost_power() -> None:
    clear, unclear = answers(60, 90, 0), answers(60, 90, 150)
    exact = refused_by((0.15 - 0.03) / 0.3, refusals(200, RolloutSettings().alpha))[-1]
    assert exact < best_fixed(clear, 200, 0.03) < 1
    assert best_fixed(unclear, 200, 0.03) < best_fixed(clear, 200, 0.03)


def test_models_that_hardly_differ_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"right on 2\.5%"):
        answers(5, 20, 0).weights(0.03)


def test_the_table_has_a_cell_for_each_column() -> None:
    head, rule, row = table(answers(30, 50, 10), 200, 0.03, 50).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") and "8.0%" in row
