"""Rollouts with true labels: the photos that are drawn, and the row of the table."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.rollout.labelled import Outcome, draw
from benchmarks.rollout.recorded import Answers


def answers() -> Answers:
    """100 photos: the champion alone is right on 8, the challenger alone on 2."""
    champion, challenger = np.ones(100, bool), np.ones(100, bool)
    champion[:2], challenger[2:10] = False, False
    return Answers(champion, challenger, champion != challenger)


def test_without_a_loss_each_photo_comes_once() -> None:
    order = draw(answers(), 0.0, 1)
    assert sorted(order) == list(range(100)) and order != draw(answers(), 0.0, 2)


def test_photos_are_drawn_for_the_loss() -> None:
    recorded, order = answers(), draw(answers(), 0.03, 1)
    lost = recorded.champion[order].mean() - recorded.challenger[order].mean()
    assert lost == pytest.approx(0.03, abs=0.01)


def test_a_row_counts_the_photos_that_were_sent() -> None:
    evidence = {"champion_right": 9, "challenger_right": 1}
    end = {"stage": "canary", "percent": 5, "reason": "less accurate"}
    outcome = Outcome(10, 12, {"stage": "refused", "next": "", "evidence": evidence, "events": [{}, end]})
    row = outcome.row(answers(), range(100))
    assert row == "| 10 | 80.0% | 20.0% | 12 | 9 : 1 | canary 5% | refused: less accurate |"
