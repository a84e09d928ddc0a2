"""Labels of disagreements decide on accuracy."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.rollout.accuracy import answers_needed, compare, labels_needed
from phytoflow.rollout.evidence import Evidence
from phytoflow.rollout.settings import RolloutSettings

SETTINGS = RolloutSettings()


def test_models_that_hardly_disagree_need_no_labels() -> None:
    result = compare(Evidence(pairs=2000, disagreements=5), SETTINGS)
    assert result.not_worse and result.worst < 0.02


def test_a_challenger_that_loses_the_disagreements_is_refused() -> None:
    result = compare(Evidence(pairs=500, disagreements=60, challenger_right=5, champion_right=25), SETTINGS)
    assert result.worse and not result.not_worse


def test_the_worst_loss_covers_the_true_one() -> None:
    generator, outside = np.random.default_rng(0), 0
    for _ in range(100):
        disagreements = int(generator.binomial(1000, 0.1))
        wins = int(generator.binomial(disagreements, 0.3))
        evidence = Evidence(1000, 0, 0, disagreements, 0.0, wins, disagreements - wins)
        outside += compare(evidence, SETTINGS).worst < 0.1 * (1 - 2 * 0.3)
    assert outside <= 5


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (20, 2), (10, 12)])
def test_the_labels_that_are_asked_for_decide(wins: int, losses: int) -> None:
    evidence = Evidence(
        pairs=1000, disagreements=100, challenger_right=wins, champion_right=losses, stage_pairs=500
    )
    needed = labels_needed(evidence, SETTINGS)
    assert needed is not None and needed > 0
    share = wins / (wins + losses) if wins + losses else 0.5
    more = round(share * needed)
    after = Evidence(1000, 0, 0, 100, 0.0, wins + more, losses + needed - more)
    result = compare(after, SETTINGS)
    assert result.worse or result.not_worse


def test_models_that_agree_need_answers_alone() -> None:
    needed = answers_needed(Evidence(pairs=100), SETTINGS)
    assert needed is not None
    assert compare(Evidence(pairs=100 + needed), SETTINGS).not_worse
    assert not compare(Evidence(pairs=100 + needed - 2), SETTINGS).not_worse
    assert answers_needed(Evidence(pairs=100, disagreements=10), SETTINGS) is None


def test_a_hopeless_count_of_labels_is_not_named() -> None:
    assert labels_needed(Evidence(pairs=100, disagreements=45), RolloutSettings(margin=0.001)) is None
